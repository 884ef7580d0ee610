import { useSignal } from '@preact/signals';
import { goToText } from '../model/go.ts';
import { useModel } from '../model/model.ts';
import { Dialog } from './dialog.tsx';

/** Asks for a position or a time. */
export function GoTo() {
  const model = useModel();
  const text = useSignal('');
  const refusal = useSignal('');
  return (
    <Dialog label="Go to" class="goto">
      <form
        method="dialog"
        onSubmit={async (event) => {
          event.preventDefault();
          refusal.value = (await goToText(model, text.peek())) ?? '';
          if (refusal.peek() === '') model.dialog.value = 'none';
        }}
      >
        <label>
          Go to event or time{' '}
          <input
            type="text"
            placeholder="812   812.3   812r   5ms"
            spellcheck={false}
            autocomplete="off"
            aria-invalid={refusal.value !== ''}
            aria-describedby="goto-refusal"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit">Go</button>
        <p id="goto-refusal" role="alert">
          {refusal.value}
        </p>
      </form>
    </Dialog>
  );
}
