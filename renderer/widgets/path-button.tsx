import { useModel } from '../model/model.ts';

/** A cell by its path: shows it in the tree. `pressed`: says whether it is the one that is shown. */
export function PathButton({ path, pressed = false }: { readonly path: string; readonly pressed?: boolean }) {
  const { view } = useModel();
  return (
    <button
      type="button"
      class="path"
      data-copy={path}
      {...(pressed ? { 'aria-pressed': view.path.value === path } : {})}
      onClick={() => {
        view.path.value = path;
      }}
    >
      {path}
    </button>
  );
}
