/** Progress on standard error: one line that is rewritten on a terminal, plain lines elsewhere. */
import type { RunEvent } from '../../runner/events.ts';
import type { LiveReadings } from '../../telemetry/recorder.ts';
import { formatDuration, formatQuantity } from '../../units.ts';

export interface ProgressOptions {
  stream: { write(text: string): unknown; columns?: number };
  quiet: boolean;
  interactive: boolean;
}

export interface ProgressDisplay {
  show(event: RunEvent): void;
  close(): void;
}

const REFRESH_MS = 250;

export function progressDisplay({ stream, quiet, interactive }: ProgressOptions): ProgressDisplay {
  if (quiet) return { show: () => {}, close: () => {} };
  return interactive ? new TerminalProgress(stream) : new PlainProgress(stream);
}

function labelOf(event: Extract<RunEvent, { type: 'launch-started' | 'launch-ended' | 'skipped' }>): string {
  const { workload, params } = event.case;
  return workload.label(params);
}

/** `31.2 W 54 °C`, as far as there are sensors. */
function liveText({ watts, temperatureCelsius }: LiveReadings): string {
  const parts = [];
  if (watts !== null) parts.push(`${watts.value.toFixed(1)} W`);
  if (temperatureCelsius !== null) parts.push(`${temperatureCelsius.toFixed(0)} °C`);
  return parts.join(' ');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What stays on screen after an event, for both displays; null for what only a terminal shows. */
function lasting(event: RunEvent): string | null {
  switch (event.type) {
    case 'started':
      return `${counted(event.cases, 'case')}, ${counted(event.launches, 'launch', 'launches')}, about ${formatDuration(event.expectedSeconds)}`;
    case 'phase':
      return event.message;
    case 'warning':
      return `warning: ${event.message}`;
    case 'skipped':
      return `${event.broken ? 'failed  ' : 'skipped '} ${labelOf(event)}: ${event.reason}`;
    case 'launch-ended':
      return event.launch.status === 'ok'
        ? null
        : `${event.launch.status.padEnd(8)} ${labelOf(event)}: ${event.launch.reason ?? ''}`;
    default:
      return null;
  }
}

type Started = Extract<RunEvent, { type: 'launch-started' }>;

/** Of the run, by what was expected when the launch began, that long ago. */
function secondsLeft({ secondsLeft }: Started, startedAt: number): number {
  return Math.max(0, secondsLeft - (Date.now() - startedAt) / 1000);
}

class PlainProgress {
  readonly #stream: ProgressOptions['stream'];
  #current: Started | null = null;
  #startedAt = 0;

  constructor(stream: ProgressOptions['stream']) {
    this.#stream = stream;
  }

  readonly show = (event: RunEvent): void => {
    if (event.type === 'launch-started') {
      this.#current = event;
      this.#startedAt = Date.now();
    }
    if (event.type === 'launch-ended' && event.headline !== null) {
      const { done, total, headline } = event;
      const parts = [
        `[${done}/${total}] ${labelOf(event)}: ${formatQuantity(headline.value, headline.unit)}`,
        ...(this.#current === null || done === total
          ? []
          : [`${formatDuration(secondsLeft(this.#current, this.#startedAt))} left`]),
        this.#current === null ? '' : liveText(this.#current.live()),
      ];
      this.#line(parts.filter(part => part !== '').join(' · '));
      return;
    }
    const line = lasting(event);
    if (line !== null) this.#line(line);
  };

  close(): void {}

  #line(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

class TerminalProgress {
  readonly #stream: ProgressOptions['stream'];
  #current: Started | null = null;
  #startedAt = 0;
  #step = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(stream: ProgressOptions['stream']) {
    this.#stream = stream;
  }

  readonly show = (event: RunEvent): void => {
    const line = lasting(event);
    if (line !== null) this.#stream.write(`\r\u001b[K${line}\n`);
    if (event.type === 'launch-started') {
      this.#current = event;
      this.#startedAt = Date.now();
      this.#step = '';
      this.#timer ??= setInterval(() => this.#draw(), REFRESH_MS).unref();
    }
    if (event.type === 'progress') this.#step = event.message;
    this.#draw();
  };

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#current !== null) this.#stream.write('\r\u001b[K');
    this.#current = null;
  }

  #draw(): void {
    if (this.#current === null) return;
    const { done, total, live } = this.#current;
    const left = secondsLeft(this.#current, this.#startedAt);
    const parts = [
      `[${done + 1}/${total}] ${labelOf(this.#current)}`,
      this.#step,
      `${formatDuration(left)} left`,
      liveText(live()),
    ];
    const width = (this.#stream.columns ?? 80) - 1;
    this.#stream.write(
      `\r\u001b[K${parts
        .filter(part => part !== '')
        .join(' · ')
        .slice(0, width)}`,
    );
  }
}
