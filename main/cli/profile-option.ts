import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import {
  type GivenProfile,
  overlayProfile,
  parseProfile,
  parseProfileOverlay,
} from '../../engine/trace/profile-read.ts';
import { isObject, parseJson } from '../../engine/trace/text/json.ts';
import { Problem } from './problem.ts';

const NAMED = fileURLToPath(new URL('../../samples/profiles', import.meta.url));

/** A header with `--profile` laid over its profile: `key=value,key=value`, a JSON file, or a name under samples/profiles. */
export function withProfile(header: TraceHeader, option: string | undefined): TraceHeader {
  if (option === undefined) return header;
  const given = overlayProfile(header.given as GivenProfile, overlayOf(option));
  const read = parseProfile(given);
  if ('problem' in read) {
    const { path, atKey, message } = read.problem;
    const where = atKey || path.length === 0 ? '' : `${path.join('.')}: `;
    throw new Problem(`--profile: ${where}${message}`);
  }
  return { ...header, given, profile: read.profile };
}

/** What `--profile` says; nothing where it is not given. */
export function givenProfile(option: string | undefined): GivenProfile {
  return option === undefined ? {} : overlayOf(option);
}

function overlayOf(option: string): GivenProfile {
  if (option.includes('=')) {
    const read = parseProfileOverlay(option);
    if ('problem' in read) throw new Problem(`--profile: ${read.problem}`);
    return read.given;
  }
  const named = join(NAMED, `${option}.json`);
  const path = existsSync(option) ? option : existsSync(named) ? named : undefined;
  if (path === undefined) {
    throw new Problem(
      `--profile ${JSON.stringify(option)}: no such file, and no name under samples/profiles; or key=value,key=value`,
    );
  }
  const read = parseJson(textOf(path));
  if ('problem' in read)
    throw new Problem(`--profile ${path}: column ${read.problem.column}: ${read.problem.message}`);
  const { value } = read;
  if (!isObject(value)) {
    throw new Problem(`--profile ${path}: expected an object such as {"kernel":"rfc2020"}`);
  }
  return value;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Problem(`--profile ${path}: cannot be read (${code}); name a JSON file`);
  }
}
