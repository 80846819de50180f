import { describe, expect, it } from 'vitest';
import { redact, redactImage } from './redact.ts';

describe('the log of a program', () => {
  it.each([
    ['Authorization: Bearer abc123def456ghi', 'Authorization: [redacted]'],
    ['curl -H "Authorization: Bearer abcdef0123456789"', 'curl -H "Authorization: [redacted]"'],
    ['using bearer abcdef0123456789 now', 'using [redacted] now'],
    ['authorization=Basic dXNlcjpwYXNz', 'authorization=[redacted]'],
    ['postgres://app:s3cret@db:5432/shop', 'postgres://[redacted]@db:5432/shop'],
    ['dsn is https://0123abcd@sentry.example/7', 'dsn is https://[redacted]@sentry.example/7'],
    ['password=hunter2 user=bob', 'password=[redacted] user=bob'],
    ['DB_PASSWORD: hunter2', 'DB_PASSWORD: [redacted]'],
    ['MYSQL_PWD=hunter2', 'MYSQL_PWD=[redacted]'],
    ['{"password":"hunter2","user":"bob"}', '{"password":"[redacted]","user":"bob"}'],
    [String.raw`{"m":"{\"password\":\"hunter2\"}"}`, String.raw`{"m":"{\"password\":\"[redacted]\"}"}`],
    [`clientSecret = 'a b c'`, `clientSecret = '[redacted]'`],
    ['"accessToken" => "abc"', '"accessToken" => "[redacted]"'],
    ['--api-key abcdef --verbose', '--api-key [redacted] --verbose'],
    ['GET /x?page=2&api_key=abcdef&sort=up', 'GET /x?page=2&api_key=[redacted]&sort=up'],
    ['PUT https://s3/x?X-Amz-Signature=abc&X-Amz-Date=1', 'PUT https://s3/x?X-Amz-Signature=[redacted]&X-Amz-Date=1'],
    ['aws_secret_access_key=wJalrXUtnFEMI/K7MDENG', 'aws_secret_access_key=[redacted]'],
    ['key AKIAIOSFODNN7EXAMPLE found', 'key [redacted] found'],
    ['pushed with ghp_0123456789abcdefABCDEF', 'pushed with [redacted]'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1', 'jwt [redacted]'],
    ['slack xoxb-123456789012-abcdef', 'slack [redacted]'],
    ['Set-Cookie: session=abc; Path=/', 'Set-Cookie: [redacted]; Path=/'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nnext', '[redacted]\nnext'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '[redacted]'],
    ['\u001B[31mpassword\u001B[0m=\u001B[1mhunter2', 'password=[redacted]'],
    ['\u001B[32mok\u001B[0m\r\n\u0007done', 'ok\ndone'],
  ])('%j is kept as %j', (line, kept) => {
    expect(redact(line)).toBe(kept);
  });

  it.each([
    'processed 12 of 40 orders in 3.2 s',
    'the password was changed',
    'token expired, retrying',
    'https://example.com/a?page=2',
    'mail to ops@example.com',
    'author=bob monkey=banana design=north spin=1',
    'a=1, b: 2\n\tat run (file.js:12:3)',
    'tokens=1200 passengers=3',
    'Back-off pulling image "docker.io/library/token:1.2"',
    'back-off 5m0s restarting failed container=main pod=report-1-abcde_shop(0f0e)',
    'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    'failed to fetch oauth token: unexpected status: 401 Unauthorized',
    'failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token?scope=x: 401',
    'secret "db-credentials" not found',
    "couldn't find key password in Secret shop/db-credentials",
    'MountVolume.SetUp failed for volume "certs" : secret "report-tls" not found',
    'failed to sync secret cache: timed out waiting for the condition',
    'flag --password is required',
    'basic authentication failed for user bob',
    'Bearer authentication is off',
    'fetch https://unpkg.com:443/react@18 and https://github.com/actions/checkout@v4',
    'mailto:bob@example.com, bypass=true, compass: north',
    'sk-production-backup-daily-report',
    'references non-existent secret key: db-password',
    "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
    'at check (/app/auth.js:12:3)',
    'Failed to pull image "ghcr.io/acme/report:1.2@sha256:0123456789abcdef": not found',
    'serviceAccount:report@shop.iam.gserviceaccount.com lacks a permission',
    'password authentication failed for user "app"',
    `SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON`,
    'secret "db-credentials-v2" not found',
    '0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }',
    'äöü 漢字 🚀 👩‍👩‍👧',
  ])('%j stays as it is', (line) => {
    expect(redact(line)).toBe(line);
  });

  // Each holds S33D, and "kept" where what follows the secret must stay.
  it.each([
    'Authorization: Token S33Dabc kept',
    'Authorization: S33D-raw-key kept',
    "{'Authorization': 'Digest S33D'} kept",
    'Cookie: a=b; session=S33D\nkept',
    'proxy-authorization: basic S33D kept',
    'X-Api-Key: S33D kept',
    'x-auth-token=S33D kept',
    'DB_PASSWORD_PROD=S33D kept',
    'password1 = S33D kept',
    'password==S33D kept',
    'PASSWORD:=S33D kept',
    'passphrase => S33D kept',
    'password=abc,S33D kept',
    'password=abc;S33D kept',
    'password=ab"S33D kept',
    'password=ab)S33D kept',
    'password=ab\\S33D kept',
    'Server=db;Password=S33D;User=kept',
    'Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=S33D= kept',
    'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=S33D==;EndpointSuffix=kept',
    String.raw`{"password":"a\"S33D","user":"kept"}`,
    String.raw`{"m":"{\"password\":\"a S33D b\",\"user\":\"kept\"}"}`,
    `{'password': 'a S33D', 'user': 'kept'}`,
    `config["password"] = "S33D" kept`,
    'map[password:S33D user:kept]',
    'Credentials(user=bob, password=S33D) kept',
    'password: |\n  S33D\nkept',
    'password:            S33D kept',
    'pass%3DS33D&b=kept',
    'password%3DS33D kept',
    '<password>S33D</password> kept',
    '--password S33D --kept',
    '-token S33D kept',
    '["--db-password", "S33D", "kept"]',
    'curl -u bob:S33D https://kept',
    'curl --user "bob:S33D" https://kept',
    "CREATE USER u IDENTIFIED BY 'S33D x' kept",
    "ALTER ROLE u PASSWORD 'S33D' kept",
    'postgres://app:p@S33D@kept:5432/shop',
    'amqp://app:a/b#S33D@kept/',
    'redis://:S33D@kept:6379',
    'mongodb+srv://u:S33D@kept/db?retry=1',
    'https://S33D@sentry.example/kept',
    'root:S33D@tcp(kept:3306)/db',
    'bearer S33D12345 kept',
    'Basic S33DnVzZXI= kept',
    'client-key-data: S33DLS0tLS1= kept',
    'connectionString=S33D kept',
    'PGPASSWORD=S33D psql kept',
    'token: S33D and so on kept',
    'MYSQL_ROOT_PASSWORD: hunter and S33D'.replace(' and S33D', 'S33D kept'),
    'jwt eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0S33D. kept',
    ...[
      'glpat-',
      'glsa_',
      'github_pat_',
      'gho_',
      'xapp-',
      'sk_live_',
      'sk-ant-',
      'hvs.',
      'dckr_pat_',
      'npm_',
      'hf_',
      'pypi-',
    ].map((start) => `pushed with ${start}0123456789S33D kept`),
    'https://hooks.slack.com/services/T0/B0/S33D kept',
    '1234567890:AAS33D-0123456789012345678901234567 kept',
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,S33D\n\nS33D\n-----END RSA PRIVATE KEY-----\nkept',
    String.raw`"-----BEGIN OPENSSH PRIVATE KEY-----\nS33D\n-----END OPENSSH PRIVATE KEY-----\n" kept`,
    '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nS33D\n-----END PGP PRIVATE KEY BLOCK-----\nkept',
    'S33DMIIE\nabc=\n-----END PRIVATE KEY-----\nkept',
    'pass\u200Bword=S33D kept',
    'pass\u00ADword=S33D kept',
    'password\u00A0=\u00A0S33D kept',
    'api key: S33D kept',
    'wrong secret key = S33D kept',
    'pw=S33D kept',
    'otp=S33D kept',
    'session_id=S33D kept',
    'tokenValue=S33D kept',
    'password is S33Dabc kept',
    'with password S33Dabc kept',
    'Password for app: S33Dabc kept',
    'the password was "S33D" kept',
    'Incorrect API key provided: S33Dabcdefgh kept',
    'password: |\n    abc\n    S33D\nuser: kept',
    'password:\n  S33D\nuser: kept',
    '"password":\n    "S33D",\n "user": "kept"',
    '{"password":{"value":"S33D","more":{"value":"S33D"}},"user":"kept"}',
    'passwords: [S33D, S33D] kept',
    '[{"name":"DB_PASSWORD","value":"S33D"},{"name":"X","value":"kept"}]',
    String.raw`{\"name\":\"API_TOKEN\",\"value\":\"S33D\"} kept`,
    '- name: API_TOKEN\n  value: S33D\n- name: kept',
    '<add key="Password" value="S33D"/> kept',
    '{"headers":{"Authorization":["Bearer S33D"]}} kept',
    'map[Authorization:[Bearer S33D] X:[kept]]',
    'map[Cookie:[session=S33D] X:[kept]]',
    'Failed to pull image "bob:S33D@registry.example/kept:1"',
    'bob:S33D@localhost:5432/kept',
    'docker login -u bob -p S33D kept',
    "mysqldump -uroot -p'S33D' kept",
    'redis-cli -a S33D kept',
    'Post "https://api.telegram.org/bot123456789:AAS33D-0123456789012345678901234567/kept"',
    'curl https://cronitor.link/p/S33D/kept',
    'https://acme.webhook.office.com/webhookb2/S33D@x/IncomingWebhook/S33D kept',
    'https://h/?code=S33D-0123&x=kept',
    'LS0tLS1CRUdJTiBS33D= kept',
    '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nS33D',
    'pass\u202Eword=S33D kept',
    'pass\u009B1mword=S33D kept',
  ])('%j loses its secret', (line) => {
    const clean = redact(line);
    expect(clean).not.toContain('S33D');
    expect(clean).toContain('[redacted]');
    expect(clean.includes('kept')).toBe(line.includes('kept'));
    expect(redact(clean)).toBe(clean);
  });

  it('is the same after a second time', () => {
    const once = redact('{"token": "abc"} password=x Authorization: Bearer abcdefgh12 https://a:b@c/');
    expect(redact(once)).toBe(once);
  });

  it.each(['a', 'a-', 'token', '"\\', '-----BEGIN '])(
    'takes time in proportion to the length of a line of %j: by its square it would not end in time',
    (part) => {
      const line = part.repeat(1_000_000);
      expect(redact(line)).toBe(line);
    },
  );

  it('takes time in proportion to the length of a line of many beginnings of a token', () => {
    expect(redact('-eyJ'.repeat(1_000_000))).toBe('-[redacted]');
  });
});

describe('the name of an image', () => {
  it.each([
    ['bob:S33D@registry.example/shop/report:1', '[redacted]@registry.example/shop/report:1'],
    ['https://bob:S33D@registry.example/report', 'https://[redacted]@registry.example/report'],
    ['ghp_S33D@ghcr.io/report', '[redacted]@ghcr.io/report'],
    ['registry:5000/shop/token:prod-1', 'registry:5000/shop/token:prod-1'],
    ['nginx:1.25@sha256:0123456789abcdef', 'nginx:1.25@sha256:0123456789abcdef'],
    ['sha256:0123456789abcdef', 'sha256:0123456789abcdef'],
  ])('%s is kept as %s', (image, kept) => {
    expect(redactImage(image)).toBe(kept);
  });
});
