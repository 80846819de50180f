import { redactor } from '../redact.ts';
import { SecretFile } from '../secret-file.ts';
import type { CronitorConfig } from './config.ts';

/** The API key of a destination, which a mounted Secret may replace at any time. */
export interface ApiKey {
  current(): string;
  /** Reads the file again; true when the key is another one than `used`. */
  renew(used: string): boolean;
  /** The vendor refused this key: from now on its file is looked at. */
  refused(used: string): void;
  /** Once true when the key that was refused has been replaced. */
  isReplaced(): boolean;
  /** True while the key is refused and its file may hold another one any moment. */
  isRefused(): boolean;
  /** Once true when telemetry was accepted under the key that was refused: it is known to be a telemetry key then. */
  isRecognised(): boolean;
  /** Telemetry was accepted under this key. */
  pinged(used: string): void;
  /** Whether telemetry was ever accepted under this key. */
  mayPing(used: string): boolean;
  /** Removes every key that was ever used. */
  redact(text: string): string;
}

/** Reads the key; throws a UserError when its file cannot be read. */
export function createApiKey(destination: string, config: CronitorConfig): ApiKey {
  const key = new SecretFile(`${destination}: apiKeyFile`, { value: config.apiKey, file: config.apiKeyFile });
  let refusedKey: string | undefined;
  let pingedKey: string | undefined;
  let recognised = false;
  const seen = new Set([key.value]);
  const renew = (used: string): boolean => {
    const renewed = key.renew(used);
    seen.add(key.value);
    return renewed;
  };
  return {
    current: () => key.value,
    renew,
    refused: (used) => void (refusedKey = used),
    isReplaced() {
      if (refusedKey === undefined || !renew(refusedKey)) return false;
      refusedKey = undefined;
      return true;
    },
    isRefused: () => key.mayChange && refusedKey !== undefined,
    isRecognised() {
      const once = recognised;
      recognised = false;
      return once;
    },
    pinged(used) {
      recognised ||= pingedKey !== used && refusedKey === used;
      pingedKey = used;
    },
    mayPing: (used) => pingedKey === used,
    redact: (text) => redactor([...seen])(text),
  };
}
