import { useModel } from '../model/model.ts';

/** Above the tree: which cells. */
export function StateBar() {
  const { tree } = useModel();
  return (
    <>
      <input
        type="search"
        class="tree-filter"
        data-focus="input"
        aria-label="Filter of cells by path"
        placeholder="path:  cpu[*].synic"
        spellcheck={false}
        autocomplete="off"
        value={tree.filter.value}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' && event.key !== 'Enter' && event.key !== 'ArrowDown') return;
          event.preventDefault();
          document.querySelector<HTMLElement>('#panel-state [data-focus="main"]')?.focus();
        }}
        onInput={(event) => {
          tree.filter.value = event.currentTarget.value;
        }}
      />
      <label class="switch" title="only what the event at the cursor changed">
        <input
          type="checkbox"
          checked={tree.changedOnly.value}
          onChange={() => {
            tree.changedOnly.value = !tree.changedOnly.peek();
          }}
        />
        changed
      </label>
    </>
  );
}
