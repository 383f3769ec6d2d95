import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/** One node of Elasticsearch's published core; arguments are a home folder, then settings as key=value. */
public final class ElasticsearchNode {
    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 1 && arguments[1].equals("--version")) {
            System.out.println("elasticsearch " + Build.current().version());
            return;
        }
        Path home = Path.of(arguments[0]).toAbsolutePath();
        Settings.Builder settings = Settings.builder()
            .put("path.home", home)
            .put("node.name", "headroom")
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("node.store.allow_mmap", false);
        for (int i = 1; i < arguments.length; i++) {
            String[] setting = arguments[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        LogConfigurator.configureESLogging();
        Node node = new Node(new Environment(settings.build(), home.resolve("config")));
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
            stopped.countDown();
        }));
        node.start();
        System.err.println("started");
        stopped.await();
    }
}
