/** What stands where a secret stood. */
const REDACTED = '********';
/** Shorter texts are no secrets, and would blacken half of every message. */
const SHORTEST = 4;
/** The mark that a text was cut at; see {@link redactSecrets}. */
const CUT = '…';

/**
 * A text from outside without the secrets that it repeats: as they are, in base64 (RFC 4648, either alphabet, also in
 * the midst of other data, as a password in a Basic credential), percent-encoded, and as JSON and HTML escape them. A
 * secret that was cut off by `…` is replaced too. Secrets of fewer than 4 characters are not looked for.
 */
export function redactSecrets(text: string, secrets: Iterable<string | undefined>): string {
  const forms = new Set<string>();
  for (const secret of secrets) if (secret !== undefined) addForms(secret, forms);
  let clean = text;
  for (const form of [...forms].toSorted((a, b) => b.length - a.length)) clean = without(clean, form);
  return clean;
}

function addForms(secret: string, forms: Set<string>): void {
  const trimmed = secret.trim();
  if (trimmed.length < SHORTEST) return;
  const bytes = Buffer.from(trimmed);
  const percent = encodeURIComponent(trimmed.toWellFormed());
  for (const form of [
    trimmed,
    trimmed.replace(CONTROLS, ' '),
    ...trimmed.split(/[\r\n]+/),
    ...base64Forms(bytes),
    percent,
    percent.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    encodeURI(trimmed.toWellFormed()),
    JSON.stringify(trimmed).slice(1, -1),
    trimmed.replace(/[&<>"']/g, (char) => ENTITIES[char]!),
    bytes.toString('hex'),
  ]) {
    if (form.length >= SHORTEST) forms.add(form);
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What base64 makes of some bytes whatever stands before and after them: one text for each place within three bytes. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // The first and the last character also hold bits of the neighbours.
    const whole = all.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function without(text: string, form: string): string {
  const clean = text.replaceAll(form, REDACTED);
  if (!clean.includes(CUT)) return clean;
  return clean
    .split(CUT)
    .map((part, index, parts) => (index === parts.length - 1 ? part : withoutStart(part, form)))
    .join(CUT);
}

/** The text without the beginning of a secret that it ends with. */
function withoutStart(text: string, form: string): string {
  for (let length = Math.min(form.length, text.length); length >= SHORTEST; length--) {
    if (text.endsWith(form.slice(0, length))) return text.slice(0, -length) + REDACTED;
  }
  return text;
}
