import { accessSync, constants, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Bits of CapEff in /proc/PID/status (include/uapi/linux/capability.h). */
const CAPABILITIES = {
  CAP_DAC_OVERRIDE: 1,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYSLOG: 34,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;
export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

/** A machine as its files show it. What cannot be read is as if it were not there. */
export class Host {
  readonly release: string;
  readonly isLinux: boolean;
  readonly isX64: boolean;
  readonly #root: string;

  /** `root` is `/`, or a folder that stands for it. */
  constructor(root = '/', kernel = release(), os: string = platform(), machine: string = arch()) {
    this.#root = root;
    this.release = kernel;
    this.isLinux = os === 'linux';
    this.isX64 = machine === 'x64';
  }

  /** Text of a file, '' without it. */
  read(path: string): string {
    return this.#bytes(path)?.toString('latin1') ?? '';
  }

  /** Text of a file packed by gzip, '' without it. */
  readPacked(path: string): string {
    const bytes = this.#bytes(path);
    try {
      return bytes === undefined ? '' : gunzipSync(bytes).toString('latin1');
    } catch {
      return '';
    }
  }

  names(folder: string): readonly string[] {
    try {
      return readdirSync(join(this.#root, folder)).sort();
    } catch {
      return [];
    }
  }

  status(path: string): Stats | undefined {
    return statSync(join(this.#root, path), { throwIfNoEntry: false });
  }

  canRead(path: string): boolean {
    return this.#may(path, constants.R_OK);
  }

  canWrite(path: string): boolean {
    return this.#may(path, constants.W_OK);
  }

  has(capability: Capability): boolean {
    const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(this.read('/proc/self/status'))?.[1];
    return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(CAPABILITIES[capability])) & 1n) === 1n;
  }

  /** A number of /proc/self/status (`Seccomp_filters`); undefined where the kernel has no such line. */
  ownStatus(name: string): number | undefined {
    const text = new RegExp(`^${name}:\\s*([0-9]+)$`, 'm').exec(this.read('/proc/self/status'))?.[1];
    return text === undefined ? undefined : Number(text);
  }

  /** A number under /proc/sys; undefined without it. */
  setting(path: string): number | undefined {
    const text = this.read(join('/proc/sys', path)).trim();
    return /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
  }

  /** Where the first file system of that type is mounted. */
  mountOf(type: string): string | undefined {
    for (const line of this.read('/proc/self/mounts').split('\n')) {
      const [, folder, own] = line.split(' ');
      if (own === type) return folder;
    }
    return undefined;
  }

  /** Names of the functions of the running kernel, as far as it shows them. */
  functions(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const [, name = ''] of this.read('/proc/kallsyms').matchAll(/^[0-9a-f]+ [tTwW] (\S+)/gm))
      names.add(name);
    return names;
  }

  #bytes(path: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#root, path));
    } catch {
      return undefined;
    }
  }

  #may(path: string, mode: number): boolean {
    try {
      accessSync(join(this.#root, path), mode);
      return true;
    } catch {
      return false;
    }
  }
}
