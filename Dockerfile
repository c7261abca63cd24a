# AutoGAN for a CPU, or with EXTRAS=gpu for an NVIDIA GPU:
#   docker build -t autogan .
#   docker build -t autogan-gpu --build-arg EXTRAS=gpu .
# Runs, data and caches live in the mounted folder:
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" autogan search gan_digits
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/work" autogan-gpu search gan_mnist
FROM python:3.13-slim

ARG EXTRAS=""
COPY . /opt/autogan
RUN pip install --no-cache-dir -c /opt/autogan/requirements.lock "/opt/autogan${EXTRAS:+[$EXTRAS]}"

# Any user can write there, so that --user keeps files yours.
WORKDIR /work
RUN chmod 777 /work
ENV HOME=/work AUTOGAN_CACHE=/work/.autogan
ENTRYPOINT ["autogan"]
CMD ["--help"]
