/**
 * ResNet-18 as torchvision lays it out: the smaller variant of resnet50. He et al. 2015, arXiv:1512.03385;
 * torchvision.models.resnet18: 11,689,512 parameters, 1.81 GMAC.
 */
import { GraphBuilder } from './graph-builder.ts';
import { classifier, convolution, type FeatureMap, stem } from './resnet50.ts';

const STAGES = [
  { width: 64, stride: 1 },
  { width: 128, stride: 2 },
  { width: 256, stride: 2 },
  { width: 512, stride: 2 },
] as const;
const BLOCKS = 2;

export function buildResnet18(): GraphBuilder {
  const graph = new GraphBuilder('resnet18', { seed: 18 });
  let x = stem(graph);
  STAGES.forEach(({ width, stride }, stage) => {
    for (let block = 0; block < BLOCKS; block++) {
      x = basicBlock(graph, x, `layer${stage + 1}.${block}`, width, block === 0 ? stride : 1);
    }
  });
  classifier(graph, x);
  return graph;
}

/** Two 3x3 convolutions, added to the input, which is projected where its shape differs. */
function basicBlock(graph: GraphBuilder, x: FeatureMap, name: string, width: number, stride: number): FeatureMap {
  const part = (input: FeatureMap, index: number, step: number, relu: boolean, gain?: number): FeatureMap =>
    convolution(graph, input, {
      name: `${name}.conv${index}`,
      normName: `${name}.bn${index}`,
      channels: width,
      kernel: 3,
      stride: step,
      relu,
      ...(gain === undefined ? {} : { gain }),
    });
  const branch = part(part(x, 1, stride, true), 2, 1, false, 0.5);
  const shortcut =
    x.channels === width && stride === 1
      ? x
      : convolution(graph, x, {
          name: `${name}.downsample.0`,
          normName: `${name}.downsample.1`,
          channels: width,
          kernel: 1,
          stride,
          relu: false,
        });
  return { ...branch, value: graph.node('Relu', [graph.node('Add', [branch.value, shortcut.value])]) };
}
