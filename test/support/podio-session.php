<?php
/*
 * A PHP program that keeps its Podio session as Podio's documentation shows it: one hash for each session, five
 * fields, written whenever the client is done, whether or not anything changed. Run as
 *
 *   php podio-session.php PORT KEY read
 *   php podio-session.php PORT KEY write ACCESS_TOKEN REFRESH_TOKEN
 *   php podio-session.php PORT KEY clear
 *   php podio-session.php PORT KEY hold        reads, waits for a line on its input, and ends
 */
require '/usr/share/php/Predis/autoload.php';

final class OAuth
{
    public function __construct(
        public ?string $access_token = null,
        public ?string $refresh_token = null,
        public ?int $expires_in = null,
        public ?array $ref = null,
    ) {
    }
}

final class RedisSession
{
    public function __construct(private Predis\Client $redis, private string $key)
    {
    }

    public function get(): OAuth
    {
        if (!$this->redis->exists($this->key)) {
            return new OAuth();
        }
        $kept = $this->redis->hgetall($this->key);
        $ref = ['type' => $kept['ref_type'], 'id' => $kept['ref_id']];
        return new OAuth($kept['access_token'], $kept['refresh_token'], (int) $kept['expires_in'], $ref);
    }

    public function set(OAuth $oauth): void
    {
        $this->redis->hmset($this->key, [
            'access_token' => $oauth->access_token,
            'refresh_token' => $oauth->refresh_token,
            'expires_in' => $oauth->expires_in,
            'ref_type' => $oauth->ref['type'] ?? null,
            'ref_id' => $oauth->ref['id'] ?? null,
        ]);
    }
}

/** What matters of a client: it reads once, when it is made, and writes what it has when it goes. */
final class Client
{
    public OAuth $oauth;

    public function __construct(private RedisSession $session)
    {
        $this->oauth = $session->get();
    }

    public function __destruct()
    {
        $this->session->set($this->oauth);
    }
}

[, $port, $key, $command] = $argv;
$session = new RedisSession(new Predis\Client(['host' => '127.0.0.1', 'port' => (int) $port]), $key);
switch ($command) {
    case 'read':
        echo json_encode($session->get());
        break;
    case 'write':
        $session->set(new OAuth($argv[4], $argv[5], 28800, ['type' => 'app', 'id' => 123456]));
        break;
    case 'clear':
        $session->set(new OAuth());
        break;
    case 'hold':
        $client = new Client($session);
        echo "read\n";
        fgets(STDIN);
        break;
}
