/** For bench-broken-sources.mjs: the recorder, the sources that are broken in every way, and sound ones in their place. */
export { startRecorder } from '../src/telemetry/recorder.ts';
export { brokenSources, localRow } from '../test/support/broken-sources.ts';
