/** What the compiled header says. */
export interface Header {
  /** Of the package that the header came from. */
  readonly version: string;
  readonly structs: Readonly<Record<string, { readonly size: number; readonly fields: Offsets }>>;
  readonly ioctls: Readonly<Record<string, number>>;
  /** Members of its enumerations. */
  readonly constants: Readonly<Record<string, number>>;
}
type Offsets = Readonly<Record<string, number>>;

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
}

/** Names of the structs of a preprocessed header and of their members; none is nested. */
function structsOf(text: string): [name: string, members: string[]][] {
  return [...text.matchAll(/struct (mshv_\w+)\s*\{([^{}]*)\}/g)].map(([, name = '', body = '']) => [
    name,
    [...body.matchAll(/(\w+)\s*(?:\[[^\]]*\])?\s*;/g)].map(([, member = '']) => member),
  ]);
}

const printed = (name: string): string =>
  `  printf("%s\\"${name}\\": %llu", sep, (unsigned long long)(${name})); sep = ", ";`;

/**
 * A C program that prints what it knows of a header as JSON, without the version. `preprocessed`: the same after the
 * preprocessor, which has chosen the members of this machine.
 */
export function programOf(header: string, preprocessed: string): string {
  const text = withoutComments(header);
  const ioctls = [...text.matchAll(/^#define\s+(MSHV_\w+)\s+_IO/gm)].map(([, name = '']) => name);
  const members = [...text.matchAll(/enum \{([^{}]*)\}/g)].flatMap(([, body = '']) =>
    [...body.matchAll(/(MSHV_\w+)/g)].map(([, name = '']) => name),
  );
  const structs = structsOf(preprocessed).map(([name, fields]) =>
    [
      `  printf("%s\\"${name}\\": {\\"size\\": %zu, \\"fields\\": {", sep, sizeof(struct ${name})); sep = "";`,
      ...fields.map(
        (field) => `  printf("%s\\"${field}\\": %zu", sep, offsetof(struct ${name}, ${field})); sep = ", ";`,
      ),
      '  printf("}}"); sep = ", ";',
    ].join('\n'),
  );
  return `#include <stddef.h>
#include <stdio.h>
#include <linux/ioctl.h>
#include <linux/mshv.h>

int main(void)
{
  const char *sep = "";
  printf("{\\"structs\\": {");
${structs.join('\n')}
  printf("}, \\"ioctls\\": {"); sep = "";
${ioctls.map(printed).join('\n')}
  printf("}, \\"constants\\": {"); sep = "";
${members.map(printed).join('\n')}
  printf("}}\\n");
  return 0;
}
`;
}
