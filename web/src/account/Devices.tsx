import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post, told } from "../api";
import { ago } from "../dates";
import { say } from "../state";
import type { Devices as DeviceList, LinkCode } from "../answers";
import type { Device } from "../types";
import { Icon } from "../ui/icons";

/** Who is logged in, and the code by which another device comes along. */
export function Devices() {
  const devices = useSignal<Device[]>([]);
  const link = useSignal<{ code: string; svg: string } | null>(null);
  const failure = useSignal("");
  const fetchThem = () =>
    get<DeviceList>("/devices").then(
      (found) => (devices.value = found.devices),
      (error) => (failure.value = told(error)),
    );
  useEffect(() => {
    fetchThem();
  }, []);
  return (
    <section class="card">
      <h2>Devices</h2>
      {failure.value ? <p class="dim">{failure.value}</p> : null}
      <ul class="devices">
        {devices.value.map((device) => (
          <li key={device.id}>
            <Icon name="device" />
            <span class="grow">
              <bdi>{device.name || "A device without a name"}</bdi>
              <span class="dim small">{device.current ? "this machine" : device.last_seen ? `last seen ${ago(device.last_seen)}` : ""}</span>
            </span>
            {device.current ? null : (
              <button
                class="quiet"
                onClick={() =>
                  post(`/devices/${device.id}/revoke`).then(
                    () => (fetchThem(), say("That device is signed out. Was it lost? Then change your keys too: lockleaf keys rotate")),
                    (error) => say(told(error)),
                  )
                }
              >
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {link.value ? (
        <div class="link-code">
          <div class="qr" role="img" aria-label="The link code as a QR code" dangerouslySetInnerHTML={{ __html: link.value.svg }} />
          <div>
            <p>Scan this on the other device, or paste the code where it asks for one. It makes the first contact as good as this device; it is no password.</p>
            <p>
              <code class="wrapping">{link.value.code}</code>
            </p>
            <p class="row">
              <button onClick={() => navigator.clipboard.writeText(link.value!.code).then(() => say("Copied."))}>Copy</button>
              <button class="quiet" onClick={() => (link.value = null)}>
                Hide
              </button>
            </p>
          </div>
        </div>
      ) : (
        <button onClick={() => post<LinkCode>("/link-code").then((made) => (link.value = made), (error) => say(told(error)))}>Link another device</button>
      )}
    </section>
  );
}
