import type { Explanation } from '../../engine/abi/explain.ts';
import { hexOf } from '../../engine/abi/index.ts';

/** One reading of a number or name, ready to print. */
export interface Reading {
  readonly as: string;
  readonly title: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

type Facts = Readonly<Record<string, string | undefined>>;

/** An explanation in words. Facts that are not known are left out. */
export function readingOf(found: Explanation): Reading {
  switch (found.what) {
    case 'status': {
      const { name, value, errno, errnoRfc2020, needsMemory } = found.row;
      return reading('status', `${name} (${hexOf(value)})`, {
        errno: errno ?? 'none',
        'errno (rfc2020)': errnoRfc2020 ?? 'none',
        memory: needsMemory ? 'the caller deposits pages and retries' : undefined,
      });
    }
    case 'errno':
      return reading('errno', `${found.row.name} (${found.row.value})`, { meaning: found.row.meaning });
    case 'ioctl': {
      const { row } = found;
      return reading('ioctl', `${row.name}, dialect ${row.dialect}, on ${row.fds.join(', ')}`, {
        number: row.number === undefined ? undefined : hexOf(row.number),
        direction: row.direction === '-' ? 'none' : row.direction,
        argument: row.argument === undefined ? 'none' : `${row.argument}, ${row.size ?? '?'} bytes`,
        opens: row.opens,
        note: row.note,
        source: row.source,
      });
    }
    case 'ioctl-number':
      return reading('ioctl number', `${hexOf(found.number)}: no dialect has it`, {
        nr: hexOf(found.nr),
        direction: found.direction,
        size: `${found.size} bytes`,
      });
    case 'hypercall': {
      const { row } = found;
      return reading('hypercall', `${row.name} (${hexOf(row.value)})`, {
        shape: row.shape === 'unknown' ? 'not found in a public source' : row.shape,
        input: row.input,
        output: row.output,
        'through MSHV_ROOT_HVCALL': row.passthrough,
        note: row.note,
      });
    }
    case 'msr': {
      const { row, value } = found;
      const title = `${row.name} (${hexOf(row.value)})${value === undefined ? '' : ` = ${hexOf(value)}`}`;
      const bits =
        found.bits?.map((bit) => [bitRange(bit), `${bit.name} = ${hexOf(bit.value)}`]) ??
        row.bits.map((bit) => [bitRange(bit), bit.name]);
      return reading('MSR', title, {
        access: { rw: 'read and write', ro: 'read only', wo: 'write only' }[row.access],
        reset: row.reset === undefined ? undefined : hexOf(row.reset),
        owner: row.owner,
        ...Object.fromEntries(bits),
        note: row.note,
      });
    }
    case 'register': {
      const value = found.value === undefined ? '' : ` = ${hexOf(found.value)}`;
      return reading('VP register', `${found.row.name} (${hexOf(found.row.value)})${value}`, {});
    }
    case 'message':
      return reading('message type', `${found.row.name} (${hexOf(found.row.value)})`, {
        payload: found.row.payload,
      });
    case 'channel-message':
      return reading('VMBus channel message', `${found.row.name} (${found.row.value})`, {
        sender: found.row.sender,
        structs: found.row.structs.join(', '),
        note: found.row.note,
      });
    case 'property':
      return reading('partition property', `${found.row.name} (${hexOf(found.row.value)})`, {});
    case 'control-word': {
      const { word, row } = found;
      return reading('hypercall control word', row.name, {
        code: hexOf(word.code),
        fast: yesNo(word.fast),
        'variable header': `${word.variableHeaderQwords} qwords`,
        nested: yesNo(word.nested),
        reps: String(word.repCount),
        start: String(word.repStart),
      });
    }
    case 'result-word':
      return reading('hypercall result word', found.row.name, {
        status: hexOf(found.word.status),
        'reps completed': String(found.word.repsCompleted),
      });
    case 'set-member':
      return reading(found.set, `${found.name} (${hexOf(found.value)})`, {});
    case 'constant':
      return reading('constant', `${found.name} = ${hexOf(found.value)}`, {});
    case 'struct':
      return reading('struct', `${found.layout.name}, ${found.layout.size} bytes`, {
        ...Object.fromEntries(
          found.layout.fields.map((field) => [
            `+${hexOf(field.offset)}`,
            field.name === '' ? '(anonymous)' : field.name,
          ]),
        ),
      });
  }
}

function reading(as: string, title: string, facts: Facts): Reading {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  return { as, title, facts: known.map(([name, value]) => ({ name, value: value ?? '' })) };
}

function bitRange(bit: { readonly lsb: number; readonly width: number }): string {
  return bit.width === 1 ? `bit ${bit.lsb}` : `bits ${bit.lsb}..${bit.lsb + bit.width - 1}`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
