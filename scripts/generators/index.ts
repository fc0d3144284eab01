import { renderCliReference } from './cli-reference.js';
import { renderConfigurationReference } from './configuration-reference.js';
import { renderJsonSchema } from './json-schema.js';

/** A file that is generated from the code. */
export interface Generator {
  /** Relative to the project's root. */
  readonly file: string;
  readonly render: () => string | Promise<string>;
}

/** Everything `npm run generate` writes. */
export const generators: readonly Generator[] = [
  { file: 'schema/adc.schema.json', render: renderJsonSchema },
  { file: 'docs/reference/configuration.md', render: renderConfigurationReference },
  { file: 'docs/reference/cli.md', render: renderCliReference },
];
