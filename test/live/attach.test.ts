import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { build, scratch } from '../emulate/build.testing.ts';
import { eventsOf } from './calls.testing.ts';
import { HVREWIND, LACKING } from './record.testing.ts';

const RECORDED_MS = 700;

describe('a recorder that comes or goes', { skip: LACKING }, () => {
  const folder = scratch();
  const program = () => build('test/live/clients/busy.c', folder, '-pthread');

  /** A program that runs, and what it has printed. */
  async function started(
    command: readonly string[],
  ): Promise<{ child: ChildProcess; pid: number; text: () => string }> {
    const [name = '', ...words] = command;
    const child = spawn(name, words, { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder });
    let text = '';
    const first = new Promise<void>((done) => child.stdout?.once('data', () => done()));
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await first;
    return { child, pid: Number.parseInt(text, 10), text: () => text };
  }

  async function eventually(what: () => boolean, why: string): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (what()) return;
      await wait(20);
    }
    assert.fail(why);
  }

  const tracers = (pid: number): string[] =>
    [...readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^TracerPid:\s*(\d+)/gm)].map(
      ([, id]) => id as string,
    );
  const lives = (pid: number): boolean =>
    existsSync(`/proc/${pid}/status`) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  const exit = (child: ChildProcess) =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((done) => child.once('close', () => done()));

  /**
   * The program goes on untraced, hears signals, and nothing has failed in it. A recorder that is killed leaves a thread that stood
   * before a wait of epoll with EINTR: the kernel wakes it as a signal does, and nobody is there to make the wait again.
   */
  async function unharmed(pid: number, text: () => string, by: 'SIGINT' | 'SIGKILL'): Promise<void> {
    await eventually(() => tracers(pid)[0] === '0', 'it is traced still');
    await wait(100);
    process.kill(pid, 'SIGUSR1');
    await wait(100);
    process.kill(pid, 'SIGTERM');
    await eventually(() => text().includes('unexpected'), `it does not end: ${text()}`);
    const [, broken] = /unexpected=0 broken=(\d+) caught=1\n/.exec(text()) ?? [];
    assert.ok(broken !== undefined && (by === 'SIGKILL' || broken === '0'), text());
  }

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`attached, then ${signal}: the program is unharmed`, async () => {
      // So many threads that some stand before a call at any time: the tracer is not fast enough for them.
      const { child, pid, text } = await started([program(), '40']);
      const trace = join(folder, `attached-${signal}.hvtrace`);
      const recorder = spawn(HVREWIND, ['record', '--quiet', '-o', trace, '--attach', `${pid}`], {
        stdio: 'inherit',
      });
      await eventually(() => tracers(pid)[0] !== '0', 'it is never traced');
      await wait(RECORDED_MS);
      recorder.kill(signal);
      await exit(recorder);
      await unharmed(pid, text, signal);
      await exit(child);
      const calls = eventsOf(trace).filter((event) => event.kind === 'ioctl');
      assert.equal(new Set(calls.map(({ tid }) => tid)).size, 4);
      if (signal === 'SIGINT') assert.equal(recorder.exitCode, 0);
    });

    test(`started with --keep-alive, then ${signal}: the program is unharmed`, async () => {
      const trace = join(folder, `kept-${signal}.hvtrace`);
      const words = ['record', '--quiet', '--keep-alive', '-o', trace, '--', program()];
      const { child, pid, text } = await started([HVREWIND, ...words]);
      await wait(RECORDED_MS);
      child.kill(signal);
      await unharmed(pid, text, signal);
      assert.ok(eventsOf(trace).some((event) => event.kind === 'ioctl'));
    });
  }

  test('started with a filter: SIGUSR2 is refused in one line, SIGKILL ends the program', async () => {
    const trace = join(folder, 'filtered.hvtrace');
    const child = spawn(HVREWIND, ['record', '-o', trace, '--', program()], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [text, told] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      told += piece;
    });
    await eventually(() => text.includes('\n'), 'it does not begin');
    const pid = Number.parseInt(text, 10);
    child.kill('SIGUSR2');
    await eventually(() => told.includes('--keep-alive'), 'it says nothing');
    assert.match(told, /^hvrewind: the program cannot be let go[^\n]*\n$/);
    assert.ok(lives(pid));
    await wait(RECORDED_MS);
    child.kill('SIGKILL');
    await eventually(() => !lives(pid), 'the program outlives the recorder');
    assert.ok(eventsOf(trace).some((event) => event.kind === 'ioctl'));
  });
});
