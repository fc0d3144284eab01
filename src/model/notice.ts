import type { ResourceKey } from './resource.js';

/** Something a person should know that is no failure. */
export interface Notice {
  readonly level: 'warning' | 'info';
  readonly message: string;
  readonly key?: ResourceKey;
}
