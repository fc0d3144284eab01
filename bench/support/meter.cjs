// Loaded before a program whose costs are measured; the program knows nothing of it. Tells, when the process ends, what it used.
const { readFileSync, writeSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

/** In bytes. The system's own count begins anew with the program; that of getrusage may still hold what the parent had. */
function peakOf(usage) {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Only Linux has it.
  }
  return usage.maxRSS * 1024;
}

if (isMainThread) {
  process.on('exit', () => {
    const usage = process.resourceUsage();
    // Milliseconds, user and system.
    const cpu = (usage.userCPUTime + usage.systemCPUTime) / 1000;
    writeSync(3, JSON.stringify({ cpu, peak: peakOf(usage) }));
  });
}
