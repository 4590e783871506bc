# One call with Python's own library.
import json, os, sys, urllib.request

session = json.load(open(os.environ['SESSION_FILE']))
headers = {'Authorization': 'OAuth2 ' + session['access_token']}
request = urllib.request.Request(os.environ['API_URL'] + '/item/123', headers=headers)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
