import { Ajv } from 'ajv';
import type { JsonObject } from '../../model/json.js';
import { compileDefaults } from '../shared/defaults.js';

/** Checks values against a gateway's schemas, here. */
export interface Checker {
  /**
   * What is wrong with a value; undefined where nothing is.
   *
   * @throws Error where the schema is one that this checker does not understand
   */
  check(schema: JsonObject, value: JsonObject): string | undefined;
}

/**
 * Builds a checker. Load this module where it is used: only gateways that cannot check by themselves need the library
 * behind it. Formats are not checked, and patterns are taken as they are: they are written for the gateway's engine.
 */
export function createChecker(): Checker {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false, logger: false });
  return {
    check(schema, value) {
      const validates = ajv.compile(schema);
      // A gateway fills in defaults before it looks at the branches that depend on them.
      if (validates(compileDefaults(schema)?.(value) ?? value)) return undefined;
      return ajv.errorsText(validates.errors, { dataVar: 'configuration' });
    },
  };
}
