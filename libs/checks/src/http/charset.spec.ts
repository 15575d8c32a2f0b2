import { expect, test } from 'vitest';
import { decodeText } from './charset.ts';

const GBK = Buffer.from('d6d0cec4', 'hex'); // 中文
const HTML = 'text/html';

function text(before: string, type: string | undefined, bytes = GBK): string {
  return decodeText(Buffer.concat([Buffer.from(before, 'latin1'), bytes]), type);
}

test.each([
  ['<meta charset="gbk">', HTML],
  ["<META CharSet='GBK'>", HTML],
  ['<meta charset=gb2312 />', undefined],
  ['<meta\tcharset = gbk>', 'Text/HTML'],
  ['<!doctype html><html lang="zh"><head><title>x</title><meta name=a charset=gbk>', HTML],
  ['<meta http-equiv="Content-Type" content="text/html; charset=gbk">', HTML],
  ['<meta content=\'text/html;charset = "gbk"\' http-equiv=content-type>', 'application/xhtml+xml'],
  ['<!-- > --><meta charset=gbk>', HTML],
  ['<!--><meta charset=gbk>', HTML],
  ['<a title="<meta charset=big5>"><meta charset="gbk">', HTML],
  ['<meta charset="nobody"><meta charset="gbk">', HTML],
  ['<?xml version="1.0" encoding="gbk"?><a/>', 'application/xml'],
  ["<?xml version='1.0' encoding='GBK'?><a/>", 'image/svg+xml'],
  ['', 'text/html; charset=gbk'],
  ['<meta charset="utf-8">', 'text/plain; Charset="gb2312"'],
  ['<meta charset="gbk">', 'text/html; charset=nobody'],
])('%s as %s says that it is GBK', (before, type) => {
  expect(text(before, type)).toContain('中文');
});

test.each([
  ['<!-- <meta charset="gbk"> -->', HTML],
  ['<!-- <meta charset="gbk">', HTML],
  ['<a title=\'<meta charset="gbk">\'>', HTML],
  ['<metadata charset="gbk">', HTML],
  ['<meta name="charset" content="text/html; charset=gbk">', HTML],
  ['<meta charset="gbk">', 'application/json'],
  ['<meta charset="gbk">', 'text/plain'],
  ['<meta charset="gbk">', 'text/html; charset=utf-8'],
  [`${' '.repeat(1_010)}<meta charset="gbk">`, HTML],
  ['\xef\xbb\xbf<meta charset="gbk">', 'text/html; charset=gbk'],
  ['<meta charset="utf-16">', HTML],
  ['', undefined],
])('%s as %s does not', (before, type) => {
  expect(text(before, type)).not.toContain('中文');
  expect(text(before, type, Buffer.from('中文'))).toContain('中文');
});

test('a byte order mark goes before all else', () => {
  const le = Buffer.from('\ufeff中文', 'utf16le');
  expect(decodeText(le, 'text/html; charset=utf-8')).toBe('中文');
  expect(decodeText(Buffer.from(le).swap16(), undefined)).toBe('中文');
  expect(decodeText(Buffer.from('\ufeff中文'), 'text/html; charset=gbk')).toBe('中文');
});

test('Latin-1 is windows-1252', () => {
  expect(decodeText(Buffer.of(0x80), 'text/plain; charset=ISO-8859-1')).toBe('€');
});

test.each([
  '<meta '.repeat(170),
  '<!--'.repeat(250),
  '<'.repeat(1_024),
  `<a ${'a='.repeat(500)}`,
  '<meta charset="'.repeat(60),
])('markup that does not end is read to its end: %.12s', (before) => {
  expect(text(before, HTML, Buffer.from('中文'))).toContain('中文');
});
