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
