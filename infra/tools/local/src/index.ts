export { commandKeysOf, type CommandKeyPair, newCommandKeys } from './command-keys.ts';
export { newSecretKeys, type SecretKeySet, secretKeysOf } from './secret-keys.ts';
export { password, passwordsFor } from './passwords.ts';
export { asksForHelp, showUsage } from './usage.ts';
