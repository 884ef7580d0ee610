/** Prefixes that every name of a sort shares: they say nothing in a narrow column. */
const PREFIX = /^((?:[RW] )?)(HV_X64_MSR_|HVCALL_|HV_STATUS_|MSHV_|HVMSG_|HV_)(?=\w)/;

/** A canonical name whose prefix is held back, and hidden where the column is narrow; the whole is in the title. */
export function Name({ text }: { readonly text: string }) {
  const match = PREFIX.exec(text);
  if (match === null) return <span title={text}>{text}</span>;
  const [whole, access = '', prefix = ''] = match;
  return (
    <span title={text}>
      {access}
      <span class="prefix">{prefix}</span>
      {text.slice(whole.length)}
    </span>
  );
}
