import { describe, expect, it } from 'vitest';
import { progressDisplay } from '../../../src/cli/render/progress.ts';
import { sentences } from '../../../src/cli/render/sentence.ts';
import { wrap } from '../../../src/cli/render/wrap.ts';
import type { RunEvent } from '../../../src/runner/events.ts';
import { selectCases } from '../../../src/suite/select.ts';

const [item] = selectCases('smoke', { settings: [], filters: ['peak'], models: [], launches: undefined }).cases;
if (item === undefined) throw new Error('the smoke suite has no peak case');

const launch = {
  index: 0,
  status: 'ok',
  seed: 1,
  order: 0,
  samplesSeconds: [1],
  iterationsPerSample: 1,
  work: {},
  ceilings: {},
  state: {},
} as const;
const started: RunEvent = { type: 'started', cases: 1, launches: 2, expectedSeconds: 3 };
const launchStarted: RunEvent = {
  type: 'launch-started',
  case: item,
  index: 0,
  done: 0,
  total: 2,
  secondsLeft: 65,
  live: () => ({
    watts: { value: 31.25, scope: 'package', source: 'powercap/package-0' },
    temperatureCelsius: 54.4,
    latest: {},
  }),
};
const launchEnded: RunEvent = {
  type: 'launch-ended',
  case: item,
  launch: { ...launch, samplesSeconds: [1] },
  done: 1,
  total: 2,
  headline: { value: 1e11, unit: 'FLOP/s' },
};

function shown(interactive: boolean, events: RunEvent[], columns = 120): string {
  let text = '';
  const display = progressDisplay({
    stream: {
      write: part => {
        text += part;
      },
      columns,
    },
    quiet: false,
    interactive,
  });
  for (const event of events) display.show(event);
  display.close();
  return text;
}

describe('progress', () => {
  it('is plain lines when standard error is no terminal', () => {
    const last: RunEvent = { ...launchEnded, done: 2 };
    const text = shown(false, [started, launchStarted, launchEnded, last]);
    expect(text).toBe(
      [
        '1 case, 2 launches, about 3.0 s',
        '[1/2] FMA peak f32: 100.0 GFLOP/s · 65 s left · 31.3 W 54 °C',
        '[2/2] FMA peak f32: 100.0 GFLOP/s · 31.3 W 54 °C',
        '',
      ].join('\n'),
    );
  });

  it('is one line on a terminal: which case, how far, time left, watts, temperature', () => {
    const text = shown(true, [started, launchStarted, { type: 'progress', message: 'measuring' }]);
    expect(text).toContain('[1/2] FMA peak f32 · measuring · 65 s left · 31.3 W 54 °C');
  });

  it('never wraps on a narrow terminal', () => {
    const text = shown(true, [launchStarted], 30);
    for (const line of text.split(/[\r\n]/)) expect(line.replace('\u001b[K', '').length).toBeLessThan(30);
  });

  it('says why a launch failed, in both forms', () => {
    const failed: RunEvent = {
      ...launchEnded,
      launch: { ...launch, samplesSeconds: [], status: 'failed', reason: 'It crashed.' },
      headline: null,
    };
    for (const interactive of [true, false])
      expect(shown(interactive, [failed])).toContain('failed   FMA peak f32: It crashed.');
  });

  it('quiet says nothing', () => {
    let text = '';
    progressDisplay({
      stream: {
        write: part => {
          text += part;
        },
      },
      quiet: true,
      interactive: true,
    }).show(started);
    expect(text).toBe('');
  });
});

describe('text', () => {
  it('sentences begin with a capital and end with a stop', () => {
    expect(sentences('no chip there', undefined, 'load the driver!')).toBe('No chip there. Load the driver!');
  });

  it('lines break at spaces within the width', () => {
    expect(wrap('one two three four', 9)).toBe('one two\n  three\n  four');
  });
});
