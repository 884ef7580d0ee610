import { copyText } from '../commands/copy.ts';
import { useModel } from '../model/model.ts';

/** A small button that copies `text`; `what` names it for those who do not see what it stands beside. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const model = useModel();
  return (
    <button
      type="button"
      class="copy"
      aria-label={`copy ${what}`}
      title={`copy ${what}`}
      onClick={async (event) => {
        event.stopPropagation();
        model.notice.value = (await copyText(text)) ?? '';
      }}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M5 1.5h8.5V11M2.5 4.5H10.5v10h-8z" />
      </svg>
    </button>
  );
}
