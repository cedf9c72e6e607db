/**
 * U-Net with batch normalisation and transposed convolutions, 3 channels in and 2 classes out, for 128x128 images. Ronneberger
 * et al. 2015, arXiv:1505.04597, as milesial/Pytorch-UNet lays it out: 31,037,698 parameters.
 */
import { GraphBuilder } from './graph-builder.ts';
import { Random } from './random.ts';
import { convolution, type FeatureMap } from './resnet50.ts';
import { float32, type NamedTensors } from './tensor.ts';

const IMAGE = 128;
const WIDTHS = [64, 128, 256, 512, 1024] as const;
const CLASSES = 2;

/** The widest maps are 64 channels of the whole image, of which a skip connection keeps several live. */
export const UNET_BYTES_PER_IMAGE = 4 * IMAGE * IMAGE * 64 * 10;

export function buildUnet(): GraphBuilder {
  const graph = new GraphBuilder('unet', { seed: 31 });
  let x: FeatureMap = { value: graph.input('input', 'float32', ['batch', 3, IMAGE, IMAGE]), channels: 3, size: IMAGE };
  const skips: FeatureMap[] = [];
  WIDTHS.forEach((width, level) => {
    if (level > 0) {
      const pooled = graph.node('MaxPool', [x.value], { kernel_shape: [2, 2], strides: [2, 2] });
      x = { ...x, value: pooled, size: x.size / 2 };
    }
    x = doubleConvolution(graph, x, `down${level}`, width);
    skips.push(x);
  });
  for (let level = WIDTHS.length - 2; level >= 0; level--) {
    const skip = skips[level];
    if (skip === undefined) throw new Error('no skip connection');
    const up = upsample(graph, x, `up${level}`);
    const joined = graph.node('Concat', [skip.value, up.value], { axis: 1 });
    x = doubleConvolution(graph, { ...up, value: joined, channels: 2 * up.channels }, `up${level}.conv`, skip.channels);
  }
  graph.countMacs(at => at.batch * IMAGE * IMAGE * x.channels * CLASSES);
  const weight = graph.weight('outc.weight', [CLASSES, x.channels, 1, 1], 1 / Math.sqrt(x.channels));
  graph.node(
    'Conv',
    [x.value, weight, graph.weight('outc.bias', [CLASSES], 0.02)],
    { kernel_shape: [1, 1] },
    {
      outputs: ['output'],
    },
  );
  graph.output('output', 'float32', ['batch', CLASSES, IMAGE, IMAGE]);
  return graph;
}

function doubleConvolution(graph: GraphBuilder, x: FeatureMap, name: string, channels: number): FeatureMap {
  const part = (input: FeatureMap, index: number): FeatureMap =>
    convolution(graph, input, {
      name: `${name}.${index}`,
      normName: `${name}.${index}.norm`,
      channels,
      kernel: 3,
      stride: 1,
      relu: true,
    });
  return part(part(x, 0), 1);
}

/** Twice the size, half the channels. */
function upsample(graph: GraphBuilder, { value, channels, size }: FeatureMap, name: string): FeatureMap {
  const half = channels / 2;
  // Every output pixel has one input pixel: 2x2 kernels at stride 2 do not overlap.
  graph.countMacs(at => at.batch * (2 * size) ** 2 * channels * half);
  const weight = graph.weight(`${name}.weight`, [channels, half, 2, 2], 1 / Math.sqrt(channels));
  const bias = graph.weight(`${name}.bias`, [half], 0.02);
  const output = graph.node('ConvTranspose', [value, weight, bias], { kernel_shape: [2, 2], strides: [2, 2] });
  return { value: output, channels: half, size: 2 * size };
}

export function unetInputs(batch: number, seed: number): NamedTensors {
  const count = batch * 3 * IMAGE * IMAGE;
  return { input: float32([batch, 3, IMAGE, IMAGE], new Random(seed).fill(new Float32Array(count), 1)) };
}
