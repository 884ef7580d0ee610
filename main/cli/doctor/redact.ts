/** Words that name this machine, its user or where things lie on it. */
export interface Secrets {
  readonly host: string;
  readonly user: string;
  readonly home: string;
  /** Folders whose names say what somebody works on. */
  readonly folders: readonly string[];
}

/** A name that is a common word says nothing, and striking it out would spoil what is to be read. */
const COMMON: ReadonlySet<string> = new Set([
  ...['', '/', '/root', '/tmp', 'root', 'localhost', 'vm', 'user', 'linux', 'mshv', 'kernel'],
]);

/** Gives a function that replaces the secrets in every text of a value, keys included, in whatever case they stand. */
export function redactor(secrets: Secrets): (value: unknown) => unknown {
  const [short = ''] = secrets.host.split('.');
  const tokens: { readonly secret: string; readonly token: string }[] = [
    ...secrets.folders.map((secret) => ({ secret, token: '<folder>' })),
    { secret: secrets.home, token: '<home>' },
    { secret: secrets.host, token: '<host>' },
    { secret: short, token: '<host>' },
    { secret: secrets.user, token: '<user>' },
  ].filter(({ secret }) => !COMMON.has(secret.toLowerCase()));
  // The longest first: a folder may lie in the home folder.
  tokens.sort((a, b) => b.secret.length - a.secret.length);
  const text = (value: string): string =>
    tokens.reduce(
      (left, { secret, token }) => left.replace(new RegExp(quoted(secret), 'gi'), () => token),
      value,
    );
  const redact = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(redact);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [text(key), redact(own)]));
  };
  return redact;
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
