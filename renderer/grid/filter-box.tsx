import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { FilterProblem } from '../../engine/app/api.ts';
import { formatFilterError } from '../../engine/filter/error.ts';
import { focusPanel } from '../app/focus.ts';
import type { PanelId } from '../app/panel-names.ts';
import { useModel } from '../model/model.ts';

/** Typing rests this long before the filter is tried: a trace may have millions of events. */
const REST_MS = 250;

const MOST_EXPECTED = 5;

interface Offer {
  readonly from: number;
  readonly to: number;
  readonly words: readonly string[];
}
const NONE: Offer = { from: 0, to: 0, words: [] };

interface FilterBoxProps {
  /** Names the elements; one box of each name stands in the window. */
  readonly id: string;
  readonly label: string;
  readonly placeholder: string;
  /** The filter in force. */
  readonly filter: Signal<string>;
  /** Where Escape puts the focus. */
  readonly panel: PanelId;
  /** What is wrong with a filter that is not empty. */
  test(filter: string): Promise<FilterProblem | undefined>;
}

/** A filter: takes effect when typing rests, offers words at the caret, points at the column of a mistake. */
export function FilterBox({ id, label, placeholder, filter: inForce, panel, test }: FilterBoxProps) {
  const model = useModel();
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal(inForce.peek());
  const problem = useSignal<FilterProblem | undefined>(undefined);
  const offer = useSignal<Offer>(NONE);
  const chosen = useSignal(-1);
  const timer = useRef(0);
  /** Words that were asked for before the list was closed come too late. */
  const turn = useRef(0);

  // The filter may be changed elsewhere: by a link, by "back", by a finding that shows itself.
  useSignalEffect(() => {
    const filter = inForce.value;
    if (filter !== text.peek().trim()) {
      text.value = filter;
      problem.value = undefined;
    }
  });

  const tryIt = async (): Promise<void> => {
    const filter = text.peek().trim();
    problem.value = filter === '' ? undefined : await test(filter);
    if (problem.peek() === undefined && filter === text.peek().trim()) inForce.value = filter;
  };
  const onInput = (): void => {
    text.value = input.current?.value ?? '';
    chosen.value = -1;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void tryIt(), REST_MS);
    void ask();
  };
  const ask = async (): Promise<void> => {
    const cursor = input.current?.selectionStart ?? 0;
    const asked = text.peek();
    turn.current++;
    const mine = turn.current;
    const answer = await model.app.invoke('complete', { filter: asked, cursor });
    if (mine !== turn.current) return;
    const typed = asked.slice(answer.from, answer.to);
    // The list that stands there may be that of the letters before: a word of it that was chosen stays chosen.
    const word = offer.peek().words[chosen.peek()];
    offer.value = answer.words.length === 1 && answer.words[0] === typed ? NONE : answer;
    chosen.value = word === undefined ? -1 : offer.peek().words.indexOf(word);
  };
  const closeWords = (): void => {
    turn.current++;
    offer.value = NONE;
    chosen.value = -1;
  };
  const take = (word: string): void => {
    const { from, to } = offer.peek();
    const element = input.current;
    if (element === null) return;
    // At once, not with the next drawing: the next key may be typed before.
    element.value = `${text.peek().slice(0, from)}${word} ${text.peek().slice(to).trimStart()}`;
    const caret = from + word.length + 1;
    element.setSelectionRange(caret, caret);
    closeWords();
    onInput();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { words } = offer.peek();
    const word = words[chosen.peek()];
    if (event.key === 'ArrowDown' && words.length > 0) chosen.value = (chosen.peek() + 1) % words.length;
    else if (event.key === 'ArrowUp' && words.length > 0)
      chosen.value = (chosen.peek() - 1 + words.length) % words.length;
    else if (event.key === 'ArrowDown') void ask();
    else if ((event.key === 'Enter' || event.key === 'Tab') && word !== undefined) take(word);
    else if (event.key === 'Enter') {
      closeWords();
      window.clearTimeout(timer.current);
      void tryIt();
    } else if (event.key === 'Escape' && words.length > 0) closeWords();
    else if (event.key === 'Escape') {
      focusPanel(model, panel);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const mistake = problem.value;
  const open = offer.value.words.length > 0;
  return (
    <div class="filter">
      <span class="filter-field" data-wrong={mistake !== undefined}>
        <input
          ref={input}
          type="text"
          role="combobox"
          data-focus="input"
          aria-label={label}
          aria-expanded={open}
          aria-controls={`${id}-words`}
          aria-autocomplete="list"
          aria-invalid={mistake !== undefined}
          aria-describedby={`${id}-problem`}
          aria-activedescendant={chosen.value >= 0 ? `${id}-word-${chosen.value}` : undefined}
          placeholder={placeholder}
          spellcheck={false}
          autocomplete="off"
          value={text.value}
          onInput={onInput}
          onKeyDown={onKeyDown}
          onBlur={closeWords}
        />
        {mistake === undefined ? undefined : (
          <span class="caret" aria-hidden="true" style={{ left: `${mistake.column - 1}ch` }}>
            ▲
          </span>
        )}
      </span>
      <div id={`${id}-problem`} class="filter-problem" role="status">
        {mistake === undefined ? '' : formatFilterError(inShort(mistake))}
      </div>
      <div
        id={`${id}-words`}
        class="filter-words"
        role="listbox"
        aria-label="Words for the filter"
        hidden={!open}
      >
        {offer.value.words.map((word, i) => (
          <div
            key={word}
            id={`${id}-word-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen.value}
            onMouseDown={(event) => {
              event.preventDefault();
              take(word);
            }}
          >
            {word}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The first few of the words that could stand there: the list at the caret has them all. */
function inShort(problem: FilterProblem): FilterProblem {
  return { ...problem, expected: problem.expected.slice(0, MOST_EXPECTED) };
}
