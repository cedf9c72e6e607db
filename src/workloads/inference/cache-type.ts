/** Pure: the type of a KV cache that is not there yet. */
import type { NamedTensors } from '../../models/tensor.ts';
import type { EngineSession } from './engine.ts';

/** An empty KV cache in the type that the session keeps it in: a model in half precision has a cache of halves. */
export function withCacheType(inputs: NamedTensors, session: Pick<EngineSession, 'inputs'>): NamedTensors {
  const types = new Map(session.inputs.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) =>
      value.type === 'float32' && value.data.length === 0 && types.get(name) === 'float16'
        ? [name, { ...value, type: 'float16', data: new Uint16Array(0) }]
        : [name, value],
    ),
  );
}
