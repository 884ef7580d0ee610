import { useSignal } from '@preact/signals';
import type { BufferView, FieldView } from '../../engine/app/api.ts';
import { CopyButton } from '../widgets/copy-button.tsx';
import { Bits } from './bits.tsx';
import { bitWords, bytesOf, fieldOfByte, hasByte, lastName } from './linking.ts';

const LINE_BYTES = 16;
/** Rows that one press of a Page key moves. */
const PAGE = 8;

/** A buffer: its fields beside its bytes. What is pointed at or focused on one side is marked on the other. */
export function Buffer({ buffer, id }: { readonly buffer: BufferView; readonly id: string }) {
  const active = useSignal<number | undefined>(undefined);
  const { fields } = buffer;
  const bytes = bytesOf(buffer.hex);
  const point = (field: number | undefined): void => {
    active.value = field;
  };
  return (
    <section class="buffer" aria-label={`buffer ${buffer.name}`} onMouseLeave={() => point(undefined)}>
      <h3>
        {buffer.name} <span class="dim value">{buffer.layout}</span>
        <span class="dim">
          {bytes.length} {bytes.length === 1 ? 'byte' : 'bytes'}
        </span>
        <CopyButton text={buffer.hex} what={`the bytes of ${buffer.name}`} />
      </h3>
      {bitWords(fields).map((word) => (
        <Bits
          key={`${word.offset}/${word.size}`}
          bytes={bytes}
          word={word}
          fields={fields}
          active={active.value}
          onPoint={point}
        />
      ))}
      <div class="buffer-sides">
        {fields.length === 0 ? undefined : (
          <Fields
            id={`${id}-fields`}
            name={buffer.name}
            fields={fields}
            active={active.value}
            onPoint={point}
          />
        )}
        <div class="buffer-bytes">
          <Bytes
            id={`${id}-bytes`}
            name={buffer.name}
            bytes={bytes}
            field={active.value === undefined ? undefined : fields[active.value]}
            onPoint={(byte) => point(fieldOfByte(fields, byte))}
          />
        </div>
      </div>
    </section>
  );
}

interface FieldsProps {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly FieldView[];
  readonly active: number | undefined;
  onPoint(field: number | undefined): void;
}

function Fields({ id, name, fields, active, onPoint }: FieldsProps) {
  return (
    <div
      class="fields"
      role="grid"
      tabIndex={0}
      aria-label={`fields of ${name}`}
      aria-activedescendant={active === undefined ? undefined : `${id}-${active}`}
      onFocus={() => onPoint(active ?? 0)}
      onBlur={() => onPoint(undefined)}
      onKeyDown={(event) => {
        const target = moved(event, active ?? -1, 1, PAGE, fields.length);
        if (target !== undefined) onPoint(target);
      }}
    >
      {fields.map((field, i) => (
        <div
          key={field.path}
          id={`${id}-${i}`}
          class="field"
          role="row"
          aria-selected={i === active}
          data-copy={field.value}
          data-depth={Math.min(field.depth, 6)}
          onMouseEnter={() => onPoint(i)}
        >
          <span role="gridcell" class="field-name" title={`${field.path}, ${placeText(field)}`}>
            {lastName(field.path)}
          </span>
          <span role="gridcell" class="value" title={field.value}>
            {field.value}
          </span>
          <span role="gridcell" class="dim">
            {meaningOf(field)}
          </span>
        </div>
      ))}
    </div>
  );
}

/** What a value means, where that is not just its own digit again. */
function meaningOf({ value, meaning }: FieldView): string {
  return meaning === undefined || value === `0x${meaning}` ? '' : meaning;
}

/** Where the field lies: `bytes 8 to 15`, `bits 12 to 63`. */
function placeText({ offset, size, lsb, width }: FieldView): string {
  if (lsb !== undefined && width !== undefined) {
    return width === 1 ? `bit ${lsb}` : `bits ${lsb} to ${lsb + width - 1}`;
  }
  return size === 1 ? `byte ${offset}` : `bytes ${offset} to ${offset + size - 1}`;
}

interface BytesProps {
  readonly id: string;
  readonly name: string;
  readonly bytes: readonly number[];
  readonly field: FieldView | undefined;
  onPoint(byte: number): void;
}

function Bytes({ id, name, bytes, field, onPoint }: BytesProps) {
  const at = useSignal<number | undefined>(undefined);
  const go = (byte: number): void => {
    at.value = byte;
    onPoint(byte);
  };
  const lines = Array.from({ length: Math.ceil(bytes.length / LINE_BYTES) }, (_, i) => i * LINE_BYTES);
  return (
    <div
      class="bytes"
      role="grid"
      tabIndex={0}
      aria-label={`bytes of ${name}`}
      aria-activedescendant={at.value === undefined ? undefined : `${id}-${at.value}`}
      onFocus={() => go(at.peek() ?? 0)}
      onBlur={() => {
        at.value = undefined;
      }}
      onKeyDown={(event) => {
        const target = moved(event, at.peek() ?? -1, LINE_BYTES, LINE_BYTES * PAGE, bytes.length);
        if (target !== undefined) go(target);
      }}
    >
      {lines.map((line) => (
        <div key={line} role="row">
          <span role="rowheader" class="dim">
            {line.toString(16).padStart(4, '0')}
          </span>
          {bytes.slice(line, line + LINE_BYTES).map((byte, i) => {
            const index = line + i;
            return (
              <span
                key={index}
                id={`${id}-${index}`}
                role="gridcell"
                class="byte"
                data-copy={`0x${hexByte(byte)}`}
                data-active={field !== undefined && hasByte(field, index)}
                data-at={index === at.value}
                data-zero={byte === 0}
                onMouseEnter={() => onPoint(index)}
              >
                {hexByte(byte)}
              </span>
            );
          })}
        </div>
      ))}
    </div>
  );
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The index that an arrow or Page key asks for; `line` is the step of up and down. */
function moved(
  event: KeyboardEvent,
  now: number,
  line: number,
  page: number,
  count: number,
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: line,
    ArrowUp: -line,
    PageDown: page,
    PageUp: -page,
    ...(line > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
  };
  const ends: Readonly<Record<string, number>> = { Home: 0, End: count - 1 };
  const step = steps[event.key];
  const target = step === undefined ? ends[event.key] : now + step;
  if (target === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey)
    return undefined;
  event.preventDefault();
  return Math.min(Math.max(target, 0), count - 1);
}
