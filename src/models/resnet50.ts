/**
 * ResNet-50 v1.5 as torchvision lays it out (stride in the 3x3 convolution of a block), with its batch normalisations, for
 * 224x224 images. He et al. 2015, arXiv:1512.03385; torchvision.models.resnet50: 25,557,032 parameters, 4.09 GMAC.
 */
import { GraphBuilder } from './graph-builder.ts';
import { Random } from './random.ts';
import { float32, type NamedTensors } from './tensor.ts';

const IMAGE = 224;
const CLASSES = 1000;
/** Width of the 3x3 convolution, number of blocks and stride of the first one, per stage. */
const STAGES = [
  { width: 64, blocks: 3, stride: 1 },
  { width: 128, blocks: 4, stride: 2 },
  { width: 256, blocks: 6, stride: 2 },
  { width: 512, blocks: 3, stride: 2 },
] as const;
const EXPANSION = 4;

/** Input and live feature maps of one image, in ONNX Runtime's blocked layout as well: the largest maps are 3.2 MB each. */
export const RESNET50_BYTES_PER_IMAGE = 16e6;

/** A feature map: the name of the value, its channels and its height, which is its width too. */
export interface FeatureMap {
  value: string;
  channels: number;
  size: number;
}

export interface ConvolutionOptions {
  name: string;
  normName: string;
  channels: number;
  kernel: number;
  stride: number;
  relu: boolean;
  /** Mean of the normalisation's gain; residual branches are kept small so that sixteen of them stay in range. */
  gain?: number;
}

export function buildResnet50(): GraphBuilder {
  const graph = new GraphBuilder('resnet50', { seed: 50 });
  let x = stem(graph);
  STAGES.forEach(({ width, blocks, stride }, stage) => {
    for (let block = 0; block < blocks; block++) {
      x = bottleneck(graph, x, `layer${stage + 1}.${block}`, width, block === 0 ? stride : 1);
    }
  });
  classifier(graph, x);
  return graph;
}

/** The image as input, a 7x7 convolution and a pooling. */
export function stem(graph: GraphBuilder): FeatureMap {
  const image = graph.input('input', 'float32', ['batch', 3, IMAGE, IMAGE]);
  const x = convolution(
    graph,
    { value: image, channels: 3, size: IMAGE },
    { name: 'conv1', normName: 'bn1', channels: 64, kernel: 7, stride: 2, relu: true },
  );
  const pooled = graph.node('MaxPool', [x.value], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  return { ...x, value: pooled, size: x.size / 2 };
}

/** Average over the image and a matrix to 1000 classes, as the output. */
export function classifier(graph: GraphBuilder, x: FeatureMap): void {
  const features = graph.node('Flatten', [graph.node('GlobalAveragePool', [x.value])], { axis: 1 });
  graph.countMacs(at => at.batch * x.channels * CLASSES);
  const weight = graph.weight('fc.weight', [CLASSES, x.channels], 1 / Math.sqrt(x.channels));
  const bias = graph.weight('fc.bias', [CLASSES], 0.01);
  graph.node('Gemm', [features, weight, bias], { transB: 1 }, { outputs: ['output'] });
  graph.output('output', 'float32', ['batch', CLASSES]);
}

/** 1x1 down, 3x3, 1x1 up, added to the input, which is projected where its shape differs. */
function bottleneck(graph: GraphBuilder, x: FeatureMap, name: string, width: number, stride: number): FeatureMap {
  const channels = width * EXPANSION;
  const part = (input: FeatureMap, index: number, options: Omit<ConvolutionOptions, 'name' | 'normName'>): FeatureMap =>
    convolution(graph, input, { name: `${name}.conv${index}`, normName: `${name}.bn${index}`, ...options });
  let branch = part(x, 1, { channels: width, kernel: 1, stride: 1, relu: true });
  branch = part(branch, 2, { channels: width, kernel: 3, stride, relu: true });
  branch = part(branch, 3, { channels, kernel: 1, stride: 1, relu: false, gain: 0.5 });
  const shortcut =
    x.channels === channels && stride === 1
      ? x
      : convolution(graph, x, {
          name: `${name}.downsample.0`,
          normName: `${name}.downsample.1`,
          channels,
          kernel: 1,
          stride,
          relu: false,
        });
  return { ...branch, value: graph.node('Relu', [graph.node('Add', [branch.value, shortcut.value])]) };
}

/** Convolution without bias and its batch normalisation. */
export function convolution(graph: GraphBuilder, x: FeatureMap, options: ConvolutionOptions): FeatureMap {
  const { name, normName, channels, kernel, stride, relu, gain = 1 } = options;
  const pad = (kernel - 1) / 2;
  const size = Math.floor((x.size + 2 * pad - kernel) / stride) + 1;
  const fanIn = x.channels * kernel * kernel;
  graph.countMacs(at => at.batch * size * size * channels * fanIn);
  // He initialisation: the variance of the activations stays about 1 behind each ReLU.
  const weight = graph.weight(`${name}.weight`, [channels, x.channels, kernel, kernel], Math.sqrt(2 / fanIn));
  const convolved = graph.node('Conv', [x.value, weight], {
    kernel_shape: [kernel, kernel],
    pads: [pad, pad, pad, pad],
    strides: [stride, stride],
  });
  const normalised = graph.node(
    'BatchNormalization',
    [
      convolved,
      graph.weight(`${normName}.weight`, [channels], 0.1 * gain, gain),
      graph.weight(`${normName}.bias`, [channels], 0.1),
      graph.statistic(`${normName}.running_mean`, [channels], 0.1, 0),
      graph.statistic(`${normName}.running_var`, [channels], 0.1, 1),
    ],
    { epsilon: { float: 1e-5 } },
  );
  return { value: relu ? graph.node('Relu', [normalised]) : normalised, channels, size };
}

/**
 * Images with structure: an 8x8 grid of random colours, interpolated. White noise would not do, since the global average
 * at the end makes the features of all noise images alike.
 */
export function resnet50Inputs(batch: number, seed: number): NamedTensors {
  const random = new Random(seed);
  const grid = 8;
  const data = new Float32Array(batch * 3 * IMAGE * IMAGE);
  const corners = new Float32Array((grid + 1) * (grid + 1));
  const at = (row: number, column: number): number => corners[row * (grid + 1) + column] ?? 0;
  for (let plane = 0; plane < batch * 3; plane++) {
    random.fill(corners, 1, random.symmetric());
    for (let y = 0; y < IMAGE; y++) {
      const row = Math.floor((y * grid) / IMAGE);
      const v = (y * grid) / IMAGE - row;
      for (let x = 0; x < IMAGE; x++) {
        const column = Math.floor((x * grid) / IMAGE);
        const u = (x * grid) / IMAGE - column;
        const top = at(row, column) * (1 - u) + at(row, column + 1) * u;
        const bottom = at(row + 1, column) * (1 - u) + at(row + 1, column + 1) * u;
        data[(plane * IMAGE + y) * IMAGE + x] = top * (1 - v) + bottom * v;
      }
    }
  }
  return { input: float32([batch, 3, IMAGE, IMAGE], data) };
}
