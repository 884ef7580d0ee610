/** The remote protocol of gdb over a socket, as far as QEMU's stub is asked for something here (gdb manual, appendix E). */
import { connect, type Socket } from 'node:net';

const frame = (text: string): string => {
  let sum = 0;
  for (let n = 0; n < text.length; n += 1) sum += text.charCodeAt(n);
  return `$${text}#${(sum & 0xff).toString(16).padStart(2, '0')}`;
};

export class GdbConnection {
  readonly #socket: Socket;
  #text = '';
  readonly #replies: string[] = [];
  #wake: () => void = () => {};
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => this.#take(`${chunk}`));
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects to the stub behind a socket of the file system. */
  static open(path: string): Promise<GdbConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        // What is written after the other side has gone shows as a closed connection.
        socket.on('error', () => {});
        resolve(new GdbConnection(socket));
      });
    });
  }

  /**
   * Packets out of what came. None is acknowledged: QEMU takes the next packet for that, and a character that comes while
   * the guest runs stops it (QEMU gdbstub/gdbstub.c, gdb_read_byte).
   */
  #take(chunk: string): void {
    this.#text += chunk;
    let from = 0;
    for (;;) {
      const start = this.#text.indexOf('$', from);
      const end = start < 0 ? -1 : this.#text.indexOf('#', start);
      if (end < 0 || end + 3 > this.#text.length) break;
      this.#replies.push(this.#text.slice(start + 1, end));
      from = end + 3;
    }
    this.#text = this.#text.slice(from);
    this.#wake();
  }

  /** Sends packets in one go; their replies come by `reply`, one each, in order. */
  send(packets: readonly string[]): void {
    this.#socket.write(packets.map(frame).join(''), 'latin1');
  }

  /** Stops what runs: a stop reply comes. */
  interrupt(): void {
    this.#socket.write('\x03', 'latin1');
  }

  /** The next packet; undefined when none came in `timeoutMs`, or ever will. */
  async reply(timeoutMs = 10_000): Promise<string | undefined> {
    if (this.#replies.length === 0 && !this.#closed)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          if (this.#replies.length === 0 && !this.#closed) return;
          clearTimeout(timer);
          resolve();
        };
      });
    return this.#replies.shift();
  }

  /** What QEMU's monitor prints. */
  async monitor(command: string): Promise<string> {
    this.send([`qRcmd,${Buffer.from(command).toString('hex')}`]);
    let text = '';
    for (;;) {
      const reply = await this.reply();
      if (reply === undefined || reply === 'OK' || !reply.startsWith('O')) return text;
      text += Buffer.from(reply.slice(1), 'hex').toString('latin1');
    }
  }

  end(): void {
    this.#socket.destroy();
  }
}
