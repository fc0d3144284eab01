import type { ResourceKey } from './resource.js';

/** Something a person should know that is no failure. */
export interface Notice {
  readonly level: 'warning' | 'info';
  readonly message: string;
  readonly key?: ResourceKey;
  /** Of what is stored and no configuration can hold, so that a dump lacks it: what it is, in the plural (`routes outside services`). */
  readonly omits?: string;
  /** It is true of what is outside a configuration's reach only where a configuration takes it over. Default false. */
  readonly onTakeOver?: boolean;
}
