import { isUnjudged } from '../../batch/judged.ts';
import type { Report, ReportOptions } from './report.ts';

/** For programs: one object, or one a line where there are several files. */
export function jsonReport({ several }: ReportOptions): Report {
  const text = (value: unknown): string =>
    `${several ? JSON.stringify(value) : JSON.stringify(value, undefined, 2)}\n`;
  return {
    begin: () => '',
    file(shown) {
      if (isUnjudged(shown)) return several ? text(shown) : '';
      const { file, events, findings, expectation } = shown;
      const met =
        expectation === undefined
          ? {}
          : { expected: expectation.missing.length + expectation.unexpected.length === 0 };
      return text({ ...(several ? { file, events } : {}), findings, ...met });
    },
    end: () => '',
  };
}
