import { z } from 'zod';

/** What is not in it would be left out without a word: gRPC has its own paths, and credentials are headers. */
const HOST_AND_PORT = /^(https:\/\/[^\s/?#@]+|http:\/\/[^\s/?#@]+:[0-9]+)\/?$/;
const allowed =
  'the http or https URL of an OTLP/gRPC receiver, a host with its port, such as http://collector:4317 (https speaks TLS): no path, no user';

/** Schema of the URL of an OTLP/gRPC receiver; https may leave out its port, which is 443 then. */
export const otlpUrl = z
  .url({ protocol: /^https?$/, abort: true })
  .regex(HOST_AND_PORT)
  .meta({ allowed });
