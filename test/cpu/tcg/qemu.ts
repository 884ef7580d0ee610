/** QEMU's own processor (TCG): one process in which case after case runs, set and read through its gdb stub. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GdbConnection } from './gdb.ts';
import { type State, stateOfMonitor } from './state.ts';

/** Where a QEMU may be: named by the environment, on PATH, or where test/qemu/fetch.sh puts it. */
export function findQemu(): string | undefined {
  const candidates = [process.env.HVREWIND_QEMU ?? '', 'qemu-system-x86_64', '/tmp/qemu-mshv/qemu'];
  return candidates.find((path) => path !== '' && spawnSync(path, ['--version']).status === 0);
}

/**
 * What engine/cpu has, and no more: without VME, FSGSBASE and the rest, a reserved bit of CR4 is one on both sides.
 * A local APIC would lie over memory.
 */
const CPU =
  'qemu64,vendor=GenuineIntel,-apic,apic-id=0,-svm,-vme,-de,+de,+pdpe1gb,+smep,+smap,+xsave,phys-bits=40,' +
  '+ssse3,+sse4.1,+sse4.2,+popcnt,+movbe,+abm';

const CR0_AFTER_RESET = 0x60000010;

/** How a case ended: with a state, or because the processor shut down, or not within its time. */
export type QemuEnd =
  | { readonly kind: 'stopped'; readonly state: State; readonly memory: Buffer }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'endless'; readonly state: State };

export class Qemu {
  readonly #folder: string;
  readonly #program: string;
  readonly #bytes: number;
  readonly #breakpoints: readonly number[];
  #child: ChildProcess | undefined;
  #gdb: GdbConnection | undefined;
  #memoryFile = -1;
  /** What the guest's memory holds. */
  #memory: Buffer;

  /** `breakpoints`: linear addresses at which every case stops. */
  constructor(program: string, bytes: number, breakpoints: readonly number[]) {
    this.#program = program;
    this.#bytes = bytes;
    this.#breakpoints = breakpoints;
    this.#folder = mkdtempSync(join(tmpdir(), 'hvrewind-tcg-'));
    this.#memory = Buffer.alloc(bytes);
  }

  async #start(): Promise<GdbConnection> {
    if (this.#gdb !== undefined) return this.#gdb;
    const ram = join(this.#folder, 'ram');
    const socket = join(this.#folder, 'gdb');
    rmSync(socket, { force: true });
    writeFileSync(ram, '');
    truncateSync(ram, this.#bytes);
    const object = `memory-backend-file,id=ram,size=${this.#bytes},mem-path=${ram},share=on`;
    this.#child = spawn(
      this.#program,
      [
        ...['-machine', 'none,memory-backend=ram', '-object', object, '-m', `${this.#bytes / 1024}k`],
        ...['-cpu', CPU, '-accel', 'tcg', '-S', '-gdb', `unix:${socket},server=on,wait=off`],
        ...['-display', 'none', '-nodefaults', '-serial', 'none', '-monitor', 'none'],
        ...['-action', 'reboot=shutdown,shutdown=pause'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    this.#child.stderr?.on('data', (chunk) => {
      said += `${chunk}`;
    });
    let gdb: GdbConnection | undefined;
    for (let tries = 0; gdb === undefined; tries += 1) {
      if (tries > 200 || this.#child.exitCode !== null) throw new Error(`QEMU does not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      gdb = await GdbConnection.open(socket).catch(() => undefined);
    }
    const opening = [
      'qSupported',
      'Qqemu.PhyMemMode:1',
      ...this.#breakpoints.map((at) => `Z0,${at.toString(16)},1`),
    ];
    gdb.send(opening);
    for (const packet of opening)
      if ((await gdb.reply()) === undefined) throw new Error(`QEMU does not answer ${packet}: ${said}`);
    this.#memoryFile = openSync(ram, 'r');
    this.#memory = Buffer.alloc(this.#bytes);
    this.#gdb = gdb;
    return gdb;
  }

  #stop(): void {
    this.#gdb?.end();
    this.#gdb = undefined;
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    if (this.#memoryFile >= 0) closeSync(this.#memoryFile);
    this.#memoryFile = -1;
  }

  end(): void {
    this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * Runs from `ip` in real mode with all segments at 0 and other registers 0, in a memory that holds `image`, until a
   * breakpoint or `last`, a linear address.
   */
  async run(image: Buffer, ip: number, last: number | undefined, timeoutMs: number): Promise<QemuEnd> {
    const gdb = await this.#start();
    const extra = last === undefined || this.#breakpoints.includes(last) ? [] : [`0,${last.toString(16)},1`];
    const packets = [...beginning(ip), ...changes(this.#memory, image), ...extra.map((at) => `Z${at}`)];
    gdb.send([...packets, 'c']);
    for (const packet of packets) {
      const reply = await gdb.reply();
      if (reply !== 'OK') throw new Error(`QEMU answers ${reply} to ${packet.slice(0, 40)}`);
    }
    let stop = await gdb.reply(timeoutMs);
    const late = stop === undefined;
    if (late) {
      gdb.interrupt();
      stop = await gdb.reply();
    }
    if (stop === undefined || !stop.startsWith('T05')) {
      // A triple fault, and nothing goes on after it; or it is gone.
      if (!late || stop === undefined || !stop.startsWith('T02')) {
        this.#stop();
        return { kind: 'shutdown' };
      }
    }
    const state = stateOfMonitor(await gdb.monitor('info registers'));
    if (late) {
      // It may sleep in HLT, and nothing here wakes it.
      this.#stop();
      return { kind: 'endless', state };
    }
    if (extra.length > 0) {
      gdb.send(extra.map((at) => `z${at}`));
      for (const _ of extra) await gdb.reply();
    }
    readSync(this.#memoryFile, this.#memory, 0, this.#bytes, 0);
    return { kind: 'stopped', state, memory: this.#memory };
  }
}

/** Numbers of registers, as QEMU's gdb-xml/i386-64bit.xml counts them. */
const RIP = 16;
const EFLAGS = 17;
const SELECTORS = [18, 19, 20, 21, 22, 23];
const BASES = [24, 25, 26];
const [CR0, CR2, CR3, CR4, EFER] = [27, 28, 29, 30, 32];
const XMM0 = 49;
const MXCSR = 65;

/** One by one: of a whole set (G) QEMU takes some with 4 bytes and some with 8, as the mode is. */
const write = (register: number, value: number, bytes: number): string => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(value, 0);
  return `P${register.toString(16)}=${buffer.toString('hex')}`;
};

/** The processor in real mode; general registers are the case's own affair. */
function beginning(ip: number): string[] {
  const load = (selector: number): string[] => SELECTORS.map((register) => write(register, selector, 4));
  return [
    ...[
      write(CR0, CR0_AFTER_RESET, 8),
      write(EFER, 0, 8),
      write(CR4, 0, 8),
      write(CR3, 0, 8),
      write(CR2, 0, 8),
    ],
    write(EFLAGS, 2, 4),
    // What is equal already is not loaded (QEMU target/i386/gdbstub.c).
    ...load(0x1000),
    ...load(0),
    ...BASES.map((register) => write(register, 0, 8)),
    write(RIP, ip, 8),
    ...Array.from({ length: 16 }, (_, r) => write(XMM0 + r, 0, 16)),
    write(MXCSR, 0x1f80, 4),
  ];
}

const PAGE = 4096;

/** M packets for what differs, a range a page: code that QEMU has translated is dropped with them. */
function changes(from: Buffer, to: Buffer): string[] {
  const packets: string[] = [];
  for (let page = 0; page < to.length; page += PAGE) {
    const before = from.subarray(page, page + PAGE);
    const after = to.subarray(page, page + PAGE);
    if (before.equals(after)) continue;
    let first = 0;
    while (before[first] === after[first]) first += 1;
    let end = PAGE;
    while (before[end - 1] === after[end - 1]) end -= 1;
    const hex = after.subarray(first, end).toString('hex');
    packets.push(`M${(page + first).toString(16)},${(end - first).toString(16)}:${hex}`);
  }
  return packets;
}
