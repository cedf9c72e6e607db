/** fp16: weights, activations and KV cache in half precision; what goes in and comes out otherwise stays fp32. */
import { create } from '@bufbuild/protobuf';
import { NodeProtoSchema } from 'onnx-buf';
import { bytesOf, ELEMENT_TYPES, type GraphBuilder, valueInfo } from '../graph-builder.ts';
import { toHalves } from './half.ts';

const IN_PLACE = /^(past|present)\./;

export function toHalfPrecision(source: GraphBuilder): GraphBuilder {
  const target = source.derive();
  const renamed = new Map<string, string>();
  target.inputs.splice(0);
  for (const info of source.inputs) {
    if (!isFloat(info)) target.inputs.push(info);
    else if (IN_PLACE.test(info.name)) target.inputs.push(asHalf(info));
    else {
      target.inputs.push(info);
      renamed.set(info.name, target.node('Cast', [info.name], { to: ELEMENT_TYPES.float16 }));
    }
  }
  target.outputs.splice(0);
  const casts: [string, string][] = [];
  for (const info of source.outputs) {
    if (isFloat(info) && !IN_PLACE.test(info.name)) {
      renamed.set(info.name, `${info.name}.half`);
      casts.push([`${info.name}.half`, info.name]);
    }
    target.outputs.push(isFloat(info) && IN_PLACE.test(info.name) ? asHalf(info) : info);
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  for (const node of source.nodes) {
    const copy = create(NodeProtoSchema, { ...node, input: node.input.map(rename), output: node.output.map(rename) });
    if (node.opType === 'Cast') {
      copy.attribute = copy.attribute.map(attribute =>
        attribute.name === 'to' && attribute.i === BigInt(ELEMENT_TYPES.float32)
          ? { ...attribute, i: BigInt(ELEMENT_TYPES.float16) }
          : attribute,
      );
    }
    target.nodes.push(copy);
  }
  for (const [from, to] of casts) target.node('Cast', [from], { to: ELEMENT_TYPES.float32 }, { outputs: [to] });
  for (const initializer of source.initializers) {
    if (initializer.elementType !== 'float32') target.initializers.push(initializer);
    else {
      target.tensor(initializer.name, 'float16', initializer.dims, function* () {
        for (const chunk of initializer.chunks()) {
          yield bytesOf(toHalves(new Float32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength / 4)));
        }
      });
    }
  }
  return target;
}

type Info = GraphBuilder['inputs'][number];

function isFloat({ type }: Info): boolean {
  return type?.value.case === 'tensorType' && type.value.value.elemType === ELEMENT_TYPES.float32;
}

function asHalf({ name, type }: Info): Info {
  if (type?.value.case !== 'tensorType') throw new Error(`${name} is no tensor`);
  const dims = (type.value.value.shape?.dim ?? []).map(({ value }) =>
    value.case === 'dimParam' ? value.value : Number(value.value ?? 0),
  );
  return valueInfo(name, 'float16', dims);
}
