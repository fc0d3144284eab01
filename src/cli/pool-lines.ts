import type { PoolReport, PoolsReport } from '../pool/pool.js';

/** What the pools did, one line a pool, for people who ask why something was slow or failed. */
export function poolLines(report: PoolsReport): readonly string[] {
  return report.pools.map(poolLine);
}

function poolLine(pool: PoolReport): string {
  const parts = [
    `opened ${pool.created}`,
    `reused ${pool.reused}`,
    `open now ${pool.open}`,
    `closed ${countsText(pool.closed)}`,
    `retried ${countsText(pool.retried)}`,
  ];
  if (pool.staleRetries > 0) parts.push(`repeated on a fresh connection ${pool.staleRetries}`);
  if (pool.breaker !== 'closed') parts.push(`breaker ${pool.breaker}`);
  const proxy = pool.proxy === undefined ? '' : ` through ${pool.proxy}`;
  return `connections to ${pool.origin}${proxy} (${pool.identity}): ${parts.join(', ')}`;
}

/** `3 (idle 2, error 1)`, or `0`. */
function countsText(counts: Readonly<Record<string, number>>): string {
  const named = Object.entries(counts).filter(([, count]) => count > 0);
  const total = named.reduce((sum, [, count]) => sum + count, 0);
  return total === 0 ? '0' : `${total} (${named.map(([reason, count]) => `${reason} ${count}`).join(', ')})`;
}
