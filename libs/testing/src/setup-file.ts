// Decorated classes need it before the first of them is loaded, and specs import them in any order.
import 'reflect-metadata';
import { afterAll } from 'vitest';
import { cleanUp } from './cleanup.ts';

afterAll(cleanUp);
