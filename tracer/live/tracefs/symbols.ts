import { readFileSync } from 'node:fs';

/** Functions of the running kernel and their addresses (`/proc/kallsyms`). */
export class KernelSymbols {
  readonly #names: readonly string[];
  readonly #addresses: BigUint64Array;

  /** `text` as /proc/kallsyms has it: address, type, name, and for a module its name in brackets. */
  constructor(text: string) {
    const rows: { readonly address: bigint; readonly name: string }[] = [];
    for (const line of text.split('\n')) {
      const [address = '', type = '', name = ''] = line.split(/\s/, 3);
      if (/^[0-9a-f]+$/.test(address) && (type === 't' || type === 'T' || type === 'W' || type === 'w')) {
        rows.push({ address: BigInt(`0x${address}`), name });
      }
    }
    rows.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    this.#names = rows.map(({ name }) => name);
    this.#addresses = BigUint64Array.from(rows, ({ address }) => address);
  }

  static ofRunningKernel(): KernelSymbols {
    return new KernelSymbols(readFileSync('/proc/kallsyms', 'utf8'));
  }

  /** False where the kernel shows no addresses to this user (kernel.kptr_restrict). */
  get hasAddresses(): boolean {
    return (this.#addresses.at(-1) ?? 0n) !== 0n;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** The function that `address` lies in; undefined below the first. */
  at(address: bigint): string | undefined {
    let [low, high] = [0, this.#addresses.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#addresses[middle] as bigint) <= address) low = middle + 1;
      else high = middle;
    }
    return this.#names[low - 1];
  }
}
