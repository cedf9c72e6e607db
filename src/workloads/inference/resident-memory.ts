/** Peak memory of this process over a stretch of its life. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Sets the process's high-water mark back to what is resident now, where Linux allows it. Gives that amount, bytes. */
export function resetPeakResidentBytes(): number {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Without it the peak also covers what ran before, such as the making of the model.
  }
  return process.memoryUsage.rss();
}

/** High-water mark of this process's resident memory, bytes. */
export function peakResidentBytes(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // No procfs: macOS.
  }
  return process.resourceUsage().maxRSS * 1024;
}
