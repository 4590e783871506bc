<?php
// What a script on podio-php does for one call: read the kept session, ask with Guzzle, print.
require '/usr/share/php/GuzzleHttp/autoload.php';
$session = json_decode(file_get_contents(getenv('SESSION_FILE')), true);
$client = new GuzzleHttp\Client(['base_uri' => getenv('API_URL'), 'verify' => getenv('CA_FILE') ?: true]);
$headers = ['Authorization' => 'OAuth2 ' . $session['access_token']];
echo $client->request('GET', '/item/123', ['headers' => $headers])->getBody();
