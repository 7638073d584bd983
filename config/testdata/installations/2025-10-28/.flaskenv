# Flask
FLASK_APP="run.py"
FLASK_ENV='production'
export CORE_SERVICE_URL="http://core.acme.example:5000"
SERVICE_NAME='codex'
