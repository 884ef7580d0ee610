import type { FieldView } from '../../engine/app/api.ts';
import { bitsOfWord, fieldOfBit, type Word } from './linking.ts';

interface BitsProps {
  readonly bytes: readonly number[];
  readonly word: Word;
  readonly fields: readonly FieldView[];
  readonly active: number | undefined;
  onPoint(field: number | undefined): void;
}

/** A word spelt out bit by bit, highest first, eight to a group with the number of its lowest bit. */
export function Bits({ bytes, word, fields, active, onPoint }: BitsProps) {
  const bits = bitsOfWord(bytes, word);
  const groups = Array.from({ length: word.size }, (_, i) => bits.slice(i * 8, i * 8 + 8));
  return (
    <div
      class="bits"
      role="img"
      aria-label={`bits ${word.size * 8 - 1} to 0 of the word at byte ${word.offset}`}
    >
      {groups.map((group) => (
        <span key={group[0]?.bit} class="bit-group">
          <span class="bit-number">
            <span>{group[0]?.bit}</span>
            <span>{group.at(-1)?.bit}</span>
          </span>
          <span>
            {group.map(({ bit, set }) => {
              const field = fieldOfBit(fields, word, bit);
              const path = field === undefined ? '' : ` ${fields[field]?.path ?? ''}`;
              return (
                <span
                  key={bit}
                  class="bit"
                  title={`bit ${bit}${path}`}
                  data-set={set}
                  data-odd={field !== undefined && field % 2 === 1}
                  data-active={field !== undefined && field === active}
                  onMouseEnter={() => onPoint(field)}
                >
                  {set ? '1' : '0'}
                </span>
              );
            })}
          </span>
        </span>
      ))}
    </div>
  );
}
