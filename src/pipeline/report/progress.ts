import type { Progress } from '../apply/outcome.js';
import { durationText } from './words.js';

/** Progress in the numbers that are shown. */
export interface ProgressFigures {
  readonly total: number;
  /** Ended and successful. */
  readonly applied: number;
  readonly failed: number;
  /** Of the total, how much has ended; 0 to 100, rounded down. */
  readonly percent: number;
  /** Operations ended per second; 0 where nothing has. */
  readonly rate: number;
  /** Milliseconds. */
  readonly elapsed: number;
  /** Milliseconds until the end at the rate so far; absent where there is no rate yet. */
  readonly eta?: number;
}

/** Works out the figures from the counts and the milliseconds since the first operation started. */
export function progressFigures(progress: Progress, elapsed: number): ProgressFigures {
  const { total, done, failed } = progress;
  const figures = {
    total,
    applied: done - failed,
    failed,
    percent: total === 0 ? 100 : Math.floor((done / total) * 100),
    rate: elapsed > 0 ? (done / elapsed) * 1000 : 0,
    elapsed,
  };
  if (done === total) return { ...figures, eta: 0 };
  return done === 0 ? figures : { ...figures, eta: (elapsed / done) * (total - done) };
}

/** The plain line: `progress 12/50 (24%) applied, 0 failed, elapsed 3s eta 9s`. */
export function progressLine(progress: Progress, elapsed: number): string {
  const { applied, total, percent, failed, eta } = progressFigures(progress, elapsed);
  return `progress ${applied}/${total} (${percent}%) applied, ${failed} failed, elapsed ${durationText(elapsed)} eta ${etaText(eta)}`;
}

/** The line that replaces itself on a terminal, at most `width` characters wide, without colour. */
export function liveLine(progress: Progress, elapsed: number, width = 80): string {
  const { total, percent, failed, rate, eta } = progressFigures(progress, elapsed);
  const text = ` ${progress.done}/${total} ${percent}%  ${failed} failed  ${rateText(rate)}/s  eta ${etaText(eta)}`;
  const room = Math.min(30, width - text.length - 3);
  if (room < 5) return text.trimStart().slice(0, Math.max(0, width - 1));
  const filled = Math.floor((room * percent) / 100);
  return `[${'#'.repeat(filled)}${'.'.repeat(room - filled)}]${text}`;
}

function etaText(eta: number | undefined): string {
  return eta === undefined ? '?' : durationText(eta);
}

function rateText(rate: number): string {
  return rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
}
