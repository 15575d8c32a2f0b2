import { describe, expect, it } from 'vitest';
import { isShownAddress, keptAddress, keptOrigin, shownAddress } from './address.ts';

describe('a secret address', () => {
  it.each([
    ['https://hooks.example.org/T0/B0?key=x#y', 'https://hooks.example.org/…'],
    ['http://bot:pa55@HOST:80/', 'http://host/…'],
    ['http://[::1]:9000/x', 'http://[::1]:9000/…'],
    ['https://hooks.example.org/…#sealed:v2:abc', 'https://hooks.example.org/…'],
  ])('%s is shown as its origin', (url, shown) => {
    expect(shownAddress(url)).toBe(shown);
    expect(isShownAddress(shown)).toBe(true);
    expect(keptOrigin(shown)).toBe(new URL(url).origin);
    expect(keptOrigin(keptAddress(shown))).toBe(new URL(url).origin);
  });

  it.each([
    'https://hooks.example.org/',
    'https://hooks.example.org/…/x',
    'https://hooks.example.org/…?x',
    'https://u@hooks.example.org/…',
    'https://hooks.example.org/…#sealed:v2:abc',
    'x https://hooks.example.org/…',
  ])('%s stands for itself', (url) => {
    expect(isShownAddress(url)).toBe(false);
    expect(keptOrigin(url)).toBeUndefined();
  });

  it('is recognised as some clients write it', () => {
    expect(keptOrigin('https://hooks.example.org/%E2%80%A6')).toBe('https://hooks.example.org');
  });
});
