import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type EventFormat, parseFormat, parsePageLayout } from './format.ts';
import type { PageLayout } from './page.ts';
import type { TracefsProblem } from './root.ts';

const PREFIX = 'hvrewind-';
const GROUP_PREFIX = 'hvrewind_';

/** Which processes have left instances behind: a recorder that was killed could not remove its own. */
function deadOwners(names: readonly string[], prefix: string): string[] {
  return names.filter((name) => {
    const pid = name.startsWith(prefix) ? /^\d+/.exec(name.slice(prefix.length))?.[0] : undefined;
    if (pid === undefined) return false;
    try {
      process.kill(Number(pid), 0);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
  });
}

/** Files in which probes are defined; the first that the kernel has is used. */
const DEFINITIONS = ['dynamic_events', 'kprobe_events', 'uprobe_events'];

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function write(path: string, text: string, flag: 'w' | 'a' = 'w'): boolean {
  try {
    writeFileSync(path, text, { flag });
    return true;
  } catch {
    return false;
  }
}

let made = 0;

/**
 * A private instance of tracefs: buffers and switches of its own, so that nobody else's tracing is disturbed. It exists until
 * {@link remove}, which is also called when the process exits; what a killed process left is removed by the next one.
 */
export class TracefsInstance {
  readonly root: string;
  readonly path: string;
  /** Of the probes that it defines. */
  readonly group: string;
  readonly #definitions: { readonly file: string; readonly name: string }[] = [];
  readonly #atExit = (): void => this.remove();
  #removed = false;

  private constructor(root: string, name: string, group: string) {
    this.root = root;
    this.path = `${root}/instances/${name}`;
    this.group = group;
    process.on('exit', this.#atExit);
  }

  static create(root: string): TracefsInstance | TracefsProblem {
    sweep(root);
    made += 1;
    const suffix = `${process.pid}-${made}`;
    const instance = new TracefsInstance(
      root,
      `${PREFIX}${suffix}`,
      `${GROUP_PREFIX}${suffix.replace('-', '_')}`,
    );
    try {
      mkdirSync(instance.path);
    } catch (error) {
      process.off('exit', instance.#atExit);
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      return { text: `${instance.path} cannot be made: ${code}`, remedy: 'run as root (sudo)' };
    }
    return instance;
  }

  /** Writes a file of the instance; false where the kernel refuses it. */
  write(file: string, text: string): boolean {
    return write(`${this.path}/${file}`, text);
  }

  read(file: string): string | undefined {
    return read(`${this.path}/${file}`);
  }

  /** An event of the instance; undefined where the kernel lacks it. */
  format(system: string, name: string): EventFormat | undefined {
    const text = this.read(`events/${system}/${name}/format`);
    return text === undefined ? undefined : parseFormat(text);
  }

  get pageLayout(): PageLayout | undefined {
    const text = this.read('events/header_page') ?? read(`${this.root}/events/header_page`);
    return text === undefined ? undefined : parsePageLayout(text);
  }

  /**
   * Defines a probe `name` of this instance's group: `kind` p or r (with what follows it), `where` and `args` as in
   * Linux Documentation/trace/kprobetrace.rst and uprobetracer.rst. False where the kernel refuses.
   */
  define(kind: string, name: string, where: string, args: string): boolean {
    const line = `${kind}:${this.group}/${name} ${where} ${args}`.trimEnd();
    const file = DEFINITIONS.find((candidate) => write(`${this.root}/${candidate}`, `${line}\n`, 'a'));
    if (file === undefined) return false;
    this.#definitions.push({ file, name });
    return true;
  }

  /** Removes the instance and its probes; its files have to be closed. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    process.off('exit', this.#atExit);
    this.write('tracing_on', '0');
    for (const { name } of this.#definitions) this.write(`events/${this.group}/${name}/enable`, '0');
    try {
      rmdirSync(this.path);
    } catch {
      // The buffers are still open, as when the process ends at once: the next recorder removes it.
    }
    for (const { file, name } of this.#definitions)
      write(`${this.root}/${file}`, `-:${this.group}/${name}\n`, 'a');
  }
}

/** Removes what killed recorders left. */
function sweep(root: string): void {
  const instances = deadOwners(readdirSync(`${root}/instances`), PREFIX);
  for (const name of instances) {
    write(`${root}/instances/${name}/tracing_on`, '0');
    try {
      rmdirSync(`${root}/instances/${name}`);
    } catch {
      // Another recorder removes it right now, or a reader of it is still there.
    }
  }
  const groups = deadOwners(readdirSync(`${root}/events`), GROUP_PREFIX);
  for (const group of groups) {
    for (const name of readdirSync(`${root}/events/${group}`)) {
      for (const file of DEFINITIONS) {
        if (!['enable', 'filter'].includes(name) && write(`${root}/${file}`, `-:${group}/${name}\n`, 'a'))
          break;
      }
    }
  }
}
