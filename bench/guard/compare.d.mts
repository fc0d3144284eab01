export type Verdict = 'worse' | 'fine' | 'unsure';
export type Sample = Readonly<Record<string, number>>;
export const bound: number;
export function chanceOf(heads: number, tosses: number): number;
export function judge(ratios: readonly number[], limit?: number): Verdict;
export function ratioOf(base: number, branch: number): number;
export function compareRevisions(options: {
  readonly keys: readonly string[];
  readonly exact?: readonly string[];
  readonly takePair: () => Promise<{ readonly base: Sample; readonly branch: Sample }>;
  readonly first?: number;
  readonly most?: number;
  readonly limit?: number;
}): Promise<Readonly<Record<string, { readonly verdict: Verdict; readonly ratio: number; readonly pairs: number }>>>;
