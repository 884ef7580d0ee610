import { spawn } from 'node:child_process';

export interface Output {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in a folder, with nothing to read, to its end. */
export function outputOf([program = '', ...words]: readonly string[], cwd: string): Promise<Output> {
  return new Promise((done, fail) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', fail);
    child.on('close', (exit) => done({ exit, out, err }));
  });
}
