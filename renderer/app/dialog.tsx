import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useModel } from '../model/model.ts';

interface DialogProps {
  readonly label: string;
  readonly class: string;
  readonly children: ComponentChildren;
}

/** A modal dialog of the browser's own; closed by Escape or a press beside it, it gives the focus back. */
export function Dialog(props: DialogProps) {
  const model = useModel();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const close = (): void => {
    model.dialog.value = 'none';
  };
  return (
    <dialog
      ref={element}
      class={props.class}
      aria-label={props.label}
      onClose={close}
      onClick={(event) => {
        if (event.target === element.current) close();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      {props.children}
    </dialog>
  );
}
