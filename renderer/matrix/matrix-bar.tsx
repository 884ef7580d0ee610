import { useModel } from '../model/model.ts';

/** Above the matrix: which registers, which SynIC. */
export function MatrixBar() {
  const model = useModel();
  const { nested } = model.view;
  return (
    <>
      <label class="switch" title="also registers that nothing in the trace writes">
        <input
          type="checkbox"
          checked={model.allRegisters.value}
          onChange={() => {
            model.allRegisters.value = !model.allRegisters.peek();
          }}
        />
        all registers
      </label>
      <label class="switch" title="the SynIC of the level below ( Shift+M )">
        <input
          type="checkbox"
          checked={nested.value}
          onChange={() => {
            nested.value = !nested.peek();
          }}
        />
        nested
      </label>
    </>
  );
}
